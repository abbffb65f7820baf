"""A siamese network taught from scratch: PriCheXy-Net's attacker, on a smaller trunk.

Packhaeuser et al. 2023, arXiv 2209.11531: one trunk sees both images, the absolute difference of
its sigmoid features goes through one linear layer, binary cross-entropy, Adam, and an early stop
on the cross-entropy of validation pairs. The trunk there is a ResNet-50 that knows ImageNet; here
it is `EmbeddingNet` with narrow stages, which knows nothing: whoever starts from so little finds
less than there is, and is no measure of privacy (`latentdp.evaluation.attacks.adaptive` is).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from latentdp.core.arrays import Images
from latentdp.errors import InputError
from latentdp.metrics.pairs import Pairs
from latentdp.models.device import device, placed
from latentdp.models.networks.embedding import EmbeddingConfig, EmbeddingNet, embed

__all__ = ["Lessons", "Schooling", "Siamese"]


@dataclass(frozen=True, kw_only=True)
class Schooling:
    """How a siamese network learns.

    Attributes:
        epochs: At most; each shows every pair once.
        patience: Epochs without a lower cross-entropy on validation pairs before it stops.
        batch: Pairs a step.
        learning_rate: Adam's. The paper's is 1e-4, for a trunk that knows ImageNet.
        widths: Channels of the trunk's stages; every stage halves the image.
        features: That the two images differ in.
        seed: Of the first weights and of the order of pairs.
    """

    epochs: int = 12
    patience: int = 5
    batch: int = 32
    learning_rate: float = 1e-3
    widths: tuple[int, ...] = (16, 32, 64, 128)
    features: int = 128
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Lessons:
    """Pairs of images to learn from, or to be examined on.

    Attributes:
        probes: ``(n, h, w)`` in [0, 1]; of a pair the first is one of these.
        references: ``(n, h, w)`` likewise; the second is one of these. Private or real: which of
            the two they are on either side is the geometry of the attack.
        pairs: Indices into both.
    """

    probes: Images
    references: Images
    pairs: Pairs


class Siamese:
    """A taught network: pairs of images in, log odds of "the same patient" out.

    Attributes:
        losses: Cross-entropy of the validation pairs after each epoch; the network is that of
            the lowest.
    """

    def __init__(self, net: _Net, losses: tuple[float, ...]) -> None:
        self._net, self.losses = net.eval(), losses

    @classmethod
    def fit(cls, train: Lessons, val: Lessons, schooling: Schooling) -> Self:
        """Learns from scratch.

        Args:
            train: To learn from.
            val: To stop by, and to choose the best epoch by.
            schooling: How to learn.

        Raises:
            InputError: Pairs of one kind only, or images that are not squares of one size.
        """
        size = _checked(train, val)
        config = EmbeddingConfig(
            size=size,
            widths=schooling.widths,
            blocks=(1,) * len(schooling.widths),
            dimensions=schooling.features,
        )
        with torch.random.fork_rng(devices=[]):  # the first weights come from the seed alone
            torch.manual_seed(schooling.seed)
            net = _Net(config)
        placed(net)
        optimiser = torch.optim.Adam(net.parameters(), lr=schooling.learning_rate)
        generator = torch.Generator().manual_seed(schooling.seed)
        losses: list[float] = []
        best = copy.deepcopy(net)
        for _ in range(schooling.epochs):
            net.train()
            order = torch.randperm(len(train.pairs), generator=generator).numpy()
            for i in range(0, len(order), schooling.batch):
                logits, same = net.compared(train, order[i : i + schooling.batch])
                optimiser.zero_grad(set_to_none=True)
                cross_entropy(logits, same).backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            losses.append(cls(net, ()).loss(val))
            if losses[-1] == min(losses):
                best = copy.deepcopy(net)
            if len(losses) - 1 - int(np.argmin(losses)) >= schooling.patience:
                break
        return cls(best, tuple(losses))

    def log_odds(self, lessons: Lessons) -> NDArray[np.float64]:
        """Log odds ``(m,)`` that each pair is of one patient; every image is seen once."""
        pairs = lessons.pairs
        probes, first = np.unique(pairs.probe, return_inverse=True)
        references, second = np.unique(pairs.reference, return_inverse=True)
        a = embed(self._net, lessons.probes[probes])[first]
        b = embed(self._net, lessons.references[references])[second]
        weight = self._net.last.weight.detach().double().cpu().numpy()[0]
        return np.asarray(np.abs(a - b) @ weight + float(self._net.last.bias.detach()[0]))

    def loss(self, lessons: Lessons) -> float:
        """Mean binary cross-entropy of pairs."""
        signed = np.where(lessons.pairs.same, -1, 1) * self.log_odds(lessons)
        return float(np.logaddexp(0, signed).mean())


class _Net(nn.Module):
    def __init__(self, config: EmbeddingConfig) -> None:
        super().__init__()
        self.trunk = EmbeddingNet(config)
        self.last = nn.Linear(config.dimensions, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Sigmoid features ``(n, features)``."""
        return torch.sigmoid(self.trunk.features(images))

    def compared(self, lessons: Lessons, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Log odds and truth of some pairs, both images in one pass."""
        pairs = lessons.pairs
        shown = np.concatenate(
            [lessons.probes[pairs.probe[rows]], lessons.references[pairs.reference[rows]]]
        )
        x = torch.from_numpy(np.asarray(shown, dtype=np.float32))[:, None]
        a, b = self(x.to(device(), memory_format=torch.channels_last)).chunk(2)
        logits: Tensor = self.last((a - b).abs())[:, 0]
        return logits, torch.from_numpy(pairs.same[rows]).float().to(device())


def _checked(train: Lessons, val: Lessons) -> int:
    """The side of all images."""
    shapes = {x.shape[1:] for side in (train, val) for x in (side.probes, side.references)}
    if len(shapes) > 1 or len(set(next(iter(shapes)))) != 1:
        raise InputError(f"expected square images of one size, got {sorted(shapes)}")
    for side in (train, val):
        if side.pairs.same.all() or not side.pairs.same.any():
            raise InputError("expected pairs of one patient and pairs of two, got only one kind")
    return int(train.probes.shape[-1])
