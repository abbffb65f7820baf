"""Training a flow conditioned on attributes: how images are drawn, and what is left unknown."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentdp.core.arrays import UNKNOWN
from latentdp.data.dataset import Dataset
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.flow.chest_attributes import attribute_values
from latentdp.models.flow.glow import GlowConfig
from latentdp.models.training.discriminators import Discriminators
from latentdp.models.training.glow import GlowTraining, GlowTrainingConfig

__all__ = ["AttributeGlowTraining", "AttributeGlowTrainingConfig"]

VALIDATED_EVERY = 300.0  # seconds of the run's clock between looks at val, which take some ten


@dataclass(frozen=True, kw_only=True)
class AttributeGlowTrainingConfig(GlowTrainingConfig):
    """How to train a flow that is conditioned on attributes.

    Attributes:
        label_dropout: Share of images of which no attribute is known to the network.
        partly_told: Share of images of which each attribute is left out at a rate of the image's
            own, between none and all: a user may know any part of them.
    """

    label_dropout: float = 0.1
    partly_told: float = 0.4


class AttributeGlowTraining(GlowTraining):
    """One training run; its minutes are those of a processor core, whoever else uses it.

    Args:
        config: Shape of the network, with attributes.
        settings: How to train.
        train: The training split.
        val: The validation split, only looked at.
        state: Where the run is kept so that it can go on after an interruption.
        odds: ``(n,)`` with which each training image is drawn; None for all alike.
        start: Weights that a new run begins with.
        branch: State of another run of this network that a new run goes on from.
        discriminators: What its samples are held against, beside likelihood; None for nothing.
        only: What else a state must be of to be gone on from, as text.
    """

    settings: AttributeGlowTrainingConfig

    clock = staticmethod(time.process_time)

    def __init__(
        self,
        config: GlowConfig,
        settings: AttributeGlowTrainingConfig,
        train: Dataset,
        val: Dataset,
        state: Path,
        *,
        odds: NDArray[np.float64] | None = None,
        start: Checkpoint | None = None,
        branch: Path | None = None,
        discriminators: Discriminators | None = None,
        only: str = "",
    ) -> None:
        self._validated = -math.inf  # when on the run's clock val was looked at
        self._partly_told = settings.partly_told
        self._values = torch.from_numpy(attribute_values(train, config.attributes).copy())
        self._val_values = attribute_values(val, config.attributes)
        self._odds = torch.from_numpy(np.ones(len(train)) if odds is None else odds)
        super().__init__(config, settings, train, val, state, start, branch, discriminators, only)

    def _rows(self, n: int) -> Tensor:
        return torch.multinomial(self._odds, n, replacement=True, generator=self.generator)

    def _labels_of(self, rows: Tensor) -> Tensor:
        """Values ``(n, attributes)``, of which some are left out this time."""
        values, g = self._values[rows].clone(), self.generator
        rate = torch.rand((len(values), 1), generator=g)
        rate[torch.rand(len(values), generator=g) >= self._partly_told] = 0
        rate[torch.rand(len(values), generator=g) < self.settings.label_dropout] = 1
        values[torch.rand(values.shape, generator=g) < rate] = UNKNOWN
        return values

    def _extras(self) -> dict[str, float]:
        """Bits per dimension of val, and of every third image without its attributes.

        Nothing where little was learnt since the last look, as on a machine that has no time.
        """
        if self.progress < 1 and self.elapsed - self._validated < VALIDATED_EVERY:
            return self._judged()
        self._validated = self.elapsed
        flow, pixels = self.flow(), self.val.pixels
        return {
            "val": flow.bits_per_dimension(pixels, self._val_values),
            "val_unknown": flow.bits_per_dimension(pixels[::3]),
        } | self._judged()
