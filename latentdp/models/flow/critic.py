"""Which of several samples looks most like an original: a public density ratio.

A flow draws images that are not quite distributed as originals are. A critic estimates, for the
released label, how many times more often originals look like an image than samples do; one of
several candidates is then kept with a probability in proportion to that ratio (sampling importance
resampling, Rubin 1987; for generators Azadi et al. 2019, arXiv 1810.06758). The ratio is logistic
in what networks see of an image that learnt to tell samples from originals: one of the image as it
is, which knows grain and edges, and one of it at half its size, which knows fog and broken ribs.
Older weights have a classifier of findings in their place.

It follows public weights, the released label and images that are private already, so that a choice
by it is post-processing and costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from msgspec import structs
from numpy.typing import NDArray

from latentdp.core.arrays import Images, Labels
from latentdp.errors import WeightsError
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.device import computes_bfloat16, device
from latentdp.models.model_card.card_parts import CriticCard
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier

__all__ = ["CRITIC", "Critic", "critic_of", "reduced", "with_critic"]

CRITIC = "critic"  # the tensors' names begin with it and a dot
NETWORKS = ("critic.reader.", "critic.half.")  # of the image as it is, and at half its size
RATIO = "critic.ratio"
MOST = 30.0  # nats either way, and no more, so that whatever a network says stays finite

Matrix = NDArray[np.float64]


class Critic:
    """The features of one network or two and, for each label, a logistic ratio of them.

    Args:
        networks: Of the image as it is and, if there is a second, of it at half its size.
        ratio: ``(labels, features + 1)``: weights of the features of all networks and, last, the
            offset; the last label is "unknown". Of a flow that knows attributes there is one row,
            whatever the label.
        exact: It computes in float32 even where bfloat16 is faster.

    Raises:
        WeightsError: Something is not finite.
    """

    def __init__(
        self, networks: Sequence[FindingClassifier], ratio: Matrix, *, exact: bool = True
    ) -> None:
        if ratio.ndim != 2 or not np.isfinite(ratio).all():
            raise WeightsError("expected the ratio of a critic to be a finite matrix")
        self.networks, self.ratio, self._exact = tuple(networks), ratio, exact

    def log_ratio(self, images: Images, labels: Labels) -> Matrix:
        """Originals over samples ``(n,)`` in nats, at most 30 either way.

        Args:
            images: ``(n, h, w)`` in [0, 1].
            labels: ``(n,)``, -1 for unknown.
        """
        low = computes_bfloat16() and not self._exact
        with torch.autocast(device().type, torch.bfloat16, enabled=low):
            features = np.concatenate(
                [network.features(reduced(images, i)) for i, network in enumerate(self.networks)],
                axis=1,
            )
        rows = self.ratio[labels if len(self.ratio) > 1 else np.zeros_like(labels)]  # -1: last
        odds = (features * rows[:, :-1]).sum(axis=1) + rows[:, -1]
        return np.asarray(np.clip(np.nan_to_num(odds, nan=-MOST), -MOST, MOST))


def with_critic(checkpoint: Checkpoint, critic: Critic, card: CriticCard) -> Checkpoint:
    """The weights with a critic, instead of any that they had; all other tensors as they were."""
    tensors = {k: v for k, v in checkpoint.tensors.items() if not k.startswith(CRITIC + ".")}
    for start, network in zip(NETWORKS, critic.networks, strict=False):
        tensors |= {start + k: _rounded(v) for k, v in network.tensors().items()}
    tensors[RATIO] = critic.ratio.astype(np.float32)
    described = structs.replace(checkpoint.card, critic=card)
    return replace(checkpoint, tensors=tensors, card=described, sha256="")


def critic_of(checkpoint: Checkpoint, classes: int, *, exact: bool = True) -> Critic | None:
    """The critic in a flow's weights; None if there is none.

    Args:
        checkpoint: The weights.
        classes: Number of classes of the flow; 0 where it knows attributes.
        exact: As `Critic` has it.

    Raises:
        WeightsError: It is damaged, or of other classes.
    """
    if RATIO not in checkpoint.tensors:
        return None
    ratio = np.asarray(checkpoint.tensors[RATIO], dtype=np.float64)
    described = checkpoint.card.critic
    if described is None:
        raise WeightsError(f"weights {checkpoint.name!r}: their critic is not described")
    config = ClassifierConfig(steps=1, widths=described.widths)
    networks: list[FindingClassifier] = []
    try:
        for start in NETWORKS:
            tensors = {
                k.removeprefix(start): np.asarray(v, dtype=np.float32)
                for k, v in checkpoint.tensors.items()
                if k.startswith(start)
            }
            if tensors or not networks:  # older weights have one
                networks.append(FindingClassifier.of(tensors, described.reader_classes, config))
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"weights {checkpoint.name!r}: their critic is damaged") from error
    if ratio.shape != (classes + 1, len(networks) * described.widths[-1] + 1):
        raise WeightsError(f"weights {checkpoint.name!r}: their critic is of other classes")
    return Critic(networks, ratio, exact=exact)


def reduced(images: Images, times: int) -> Images:
    """Images ``(n, h, w)``, of which each side was halved so often; means of squares of pixels."""
    for _ in range(times):
        n, height, width = images.shape
        squares = images.reshape(n, height // 2, 2, width // 2, 2)
        images = squares.mean(axis=(2, 4), dtype=np.float32)
    return images


def _rounded(tensor: NDArray[np.float32]) -> NDArray[Any]:
    return tensor.astype(np.float16) if tensor.ndim == 4 else tensor
