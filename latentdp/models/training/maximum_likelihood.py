"""Maximum likelihood: what the training of a flow and of an octave have in common."""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentdp.errors import InputError
from latentdp.models.training.loop import TrainingLoop
from latentdp.models.training.schedule import SCHEDULES

__all__ = ["TrainingConfig", "MaximumLikelihood", "halved"]


Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How to train. A resumed run must be given the same settings.

    Attributes:
        minutes: Wall-clock length of the whole run, resumed parts counted in; 0 for no limit.
        steps: Number of optimiser steps; 0 for no limit. The first limit reached ends the run.
        batch: Images a step, over all processes together.
        learning_rate: Adam's peak rate.
        schedule: How it is reached and left, in `SCHEDULES`: by default warmed up over 200 steps,
            then a cosine to 1 %.
        ema: Decay of the averaged weights that are evaluated and exported.
        seed: Of initial weights, order, noise and augmentation. Training only.
    """

    minutes: float = 0.0
    steps: int = 0
    batch: int = 32
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    ema: float = 0.9995
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("minutes", "steps"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise InputError(f"expected {name} of at least 0, got {getattr(self, name)}")
        if self.batch < 1:
            raise InputError(f"expected a batch of at least 1, got {self.batch}")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise InputError(f"expected a positive learning rate, got {self.learning_rate}")
        if self.schedule not in SCHEDULES:
            raise InputError(
                f"unknown schedule {self.schedule!r}; there are: {', '.join(SCHEDULES)}"
            )


class MaximumLikelihood(TrainingLoop, Generic[Net]):
    """Adam whose rate follows a schedule, and an average of the weights.

    Args:
        net: What learns, on its device.
        settings: How to train.
        state: As `TrainingLoop` has it, likewise ``network``.
        network: See there.
        seed: Of order, noise and augmentation.

    Attributes:
        net: What learns.
        average: The averaged network, which is what is evaluated and exported.
    """

    def __init__(
        self, net: Net, settings: TrainingConfig, state: Path, network: str, *, seed: int
    ) -> None:
        super().__init__(
            state,
            network,
            minutes=settings.minutes,
            steps=settings.steps,
            shown=settings.batch,
        )
        self.net, self._how = net, settings
        self.generator = torch.Generator().manual_seed(seed)
        self.optimiser = torch.optim.Adam(net.parameters(), lr=settings.learning_rate)
        self.average: Net = copy.deepcopy(net).requires_grad_(False)

    @abstractmethod
    def _loss(self) -> Tensor:
        """Of a fresh batch: bits per dimension."""

    def _begin(self) -> None:
        """The average starts where the network does."""
        self.average.load_state_dict(self.net.state_dict())

    def _kept(self) -> dict[str, Any]:
        return {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": self.generator.get_state(),
        }

    def _restore(self, kept: dict[str, Any]) -> None:
        self.net.load_state_dict(kept["net"])
        self.average.load_state_dict(kept["average"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.generator.set_state(kept["generator"])

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        share = SCHEDULES[self._how.schedule](self.step, self.progress)
        return self._how.learning_rate * share

    def _learn(self) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate
        self.optimiser.zero_grad(set_to_none=True)
        loss = self._loss()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        if bool(torch.isfinite(norm)):  # of all processes' mean gradient, so all decide alike
            self.optimiser.step()
        decay = min(self._how.ema, (2 + self.step) / (11 + self.step))
        pairs = zip(self.average.parameters(), self.net.parameters(), strict=True)
        with torch.no_grad():
            for ours, theirs in pairs:
                ours.lerp_(theirs, 1 - decay)
        return float(loss.detach())


def halved(net: nn.Module, *, when: str) -> dict[str, NDArray[Any]]:
    """The tensors of a network for a file, those of its convolutions as 16-bit floats.

    Both directions use the same rounded values, so invertibility is untouched. Mixing matrices,
    normalisation and priors stay as they are.

    Args:
        net: Whose they are.
        when: What the name of a tensor that is rounded contains.
    """
    found = {}
    for key, tensor in net.state_dict().items():
        array = tensor.detach().cpu().numpy()
        found[key] = array.astype(np.float16) if when in key and array.ndim == 4 else array
    return found
