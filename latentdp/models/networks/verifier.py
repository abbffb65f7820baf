"""A verifier ready for use: shipped, or adapted to a release."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.data.preprocess import resize
from latentdp.errors import WeightsError
from latentdp.models.checkpoints import Checkpoint, load, shipped
from latentdp.models.device import placed
from latentdp.models.model_card.card import ModelCard
from latentdp.models.networks.embedding import EmbeddingConfig, EmbeddingNet, embed
from latentdp.models.training.metric_learning import MetricLearning, MetricLearningConfig
from latentdp.models.training.pair_dataset import PairDataset

__all__ = ["KIND", "Verifier", "shipped_verifier"]

KIND = "embedding"


@dataclass(frozen=True)
class Verifier:
    """Embeds images so that those of one patient are near each other.

    Attributes:
        net: The network in evaluation mode; not to be changed.
        card: Model card of the weights file that it comes from; empty for one in memory.
    """

    net: EmbeddingNet
    card: ModelCard

    @property
    def size(self) -> int:
        """Side in pixels of the images that it was trained on."""
        return self.net.config.size

    @classmethod
    def load(cls, name: str) -> Self:
        """Shipped weights by name, or a file by path.

        Raises:
            WeightsError: No such weights, damaged ones, or ones of another kind of network.
        """
        return cls.from_checkpoint(load(name))

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> Self:
        """From a weights file in memory."""
        if checkpoint.kind != KIND:
            raise WeightsError(f"expected weights of a verifier, got weights of {checkpoint.kind}")
        net = EmbeddingNet(EmbeddingConfig.from_json(checkpoint.config))
        tensors = {
            key: torch.from_numpy(np.asarray(value, dtype=_stored_as(value)))
            for key, value in checkpoint.tensors.items()
        }
        try:
            net.load_state_dict(tensors)
        except RuntimeError as error:
            raise WeightsError(f"{checkpoint.name}: its tensors do not fit its network") from error
        return cls(_ready(net), checkpoint.card)

    @classmethod
    def of(cls, net: EmbeddingNet, card: ModelCard | None = None) -> Self:
        """From a network, which is copied."""
        return cls(_ready(copy.deepcopy(net)), card or ModelCard())

    def checkpoint(self, name: str, card: ModelCard) -> Checkpoint:
        """A weights file of it; convolutions are stored as float16."""
        tensors = {}
        for key, tensor in self.net.state_dict().items():
            array = tensor.detach().cpu().numpy()
            tensors[key] = array.astype(np.float16) if array.ndim > 1 else array
        return Checkpoint(
            name=name, kind=KIND, config=self.net.config.to_json(), card=card, tensors=tensors
        )

    def __call__(self, images: Images) -> NDArray[np.float64]:
        """Unit vectors ``(n, dimensions)`` of images ``(n, h, w)`` in [0, 1] of any size."""
        return embed(self.net, self.fitted(images))

    def fitted(self, images: Images) -> Images:
        """Images ``(..., h, w)`` as squares of the size that the network was trained on."""
        shape = (self.size, self.size)
        if images.shape[-2:] == shape:
            return images
        flat = images.reshape(-1, *images.shape[-2:])
        small = np.stack([resize(image, shape) for image in flat]) if len(flat) else flat
        return np.asarray(small.reshape(*images.shape[:-2], *shape), dtype=np.float32)

    def adapted(
        self,
        private: Images,
        real: Images,
        patients: NDArray[np.int64],
        *,
        settings: MetricLearningConfig,
        steps: int,
        tell: Callable[[float], None],
    ) -> Self:
        """Learns to recognise people on private images, from where this verifier stands.

        It is shown (private, real) and (private, private) pairs in turn and is scored on both.

        Args:
            private: ``(versions, n, h, w)`` private copies of the attacker's own images.
            real: ``(n, h, w)`` the originals.
            patients: ``(n,)`` numbers of patients.
            settings: How to learn; the seed is that of the restart.
            steps: Steps of the optimiser, at least 1.
            tell: Called with the share that is done, in [0, 1].
        """
        hidden, shown = self.fitted(private), self.fitted(real)[None]
        learning = MetricLearning(
            copy.deepcopy(self.net).requires_grad_(True),
            settings,
            [PairDataset(hidden, shown, patients), PairDataset(hidden, hidden, patients)],
            steps=steps,
        )
        learning.run(lambda now: tell(now["progress"]), every=0.0)
        return type(self)(_ready(learning.average), self.card)


def shipped_verifier(size: int) -> str:
    """Name of the shipped verifier whose images are nearest in size to ``size`` pixels.

    Raises:
        WeightsError: None is shipped.
    """
    sizes = {name: entry.size for name, entry in shipped(KIND).items()}
    if not sizes:
        raise WeightsError("this installation ships no verifier")
    return min(sorted(sizes), key=lambda name: abs(np.log(sizes[name] / size)))


def _ready(net: EmbeddingNet) -> EmbeddingNet:
    return placed(net).eval().requires_grad_(False)


def _stored_as(array: NDArray[Any]) -> type:
    return np.int64 if np.issubdtype(array.dtype, np.integer) else np.float32
