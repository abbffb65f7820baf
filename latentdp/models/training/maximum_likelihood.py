"""Maximum likelihood: what the training of a flow and of a detail flow have in common."""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentdp.errors import InputError
from latentdp.models.training.averaged_loop import AveragedLoop, Net
from latentdp.models.training.schedule import SCHEDULES
from latentdp.models.training.weight_average import decay_at, follow

__all__ = ["MaximumLikelihood", "MaximumLikelihoodConfig", "halved"]


@dataclass(frozen=True, kw_only=True)
class MaximumLikelihoodConfig:
    """How to train. A resumed run must be given the same settings.

    Attributes:
        minutes: Wall-clock length of the whole run, resumed parts counted in; 0 for no limit.
        steps: Number of optimiser steps; 0 for no limit. The first limit reached ends the run.
        batch: Images a step, over all processes together.
        learning_rate: Adam's peak rate.
        momentum: Adam's decay of the mean gradient; against discriminators a lower one is usual.
        schedule: How it is reached and left, in `SCHEDULES`: by default warmed up over 200 steps,
            then a cosine to 1 %.
        ema: Decay of the averaged weights that are evaluated and exported.
        seed: Seed of initial weights, order, noise and augmentation; of no release.

    Raises:
        InputError: A number out of range, or an unknown schedule.
    """

    minutes: float = 0.0
    steps: int = 0
    batch: int = 32
    learning_rate: float = 1e-3
    momentum: float = 0.9
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


class MaximumLikelihood(AveragedLoop[Net]):
    """Adam whose rate follows a schedule, and an average of the weights.

    Args:
        net: What learns, on its device.
        settings: How to train.
        state: Where the run is kept so that it can go on after an interruption.
        run: What the state must be of, as text.
        seed: Seed of order, noise and augmentation.

    Attributes:
        net: What learns.
        average: The averaged network, which is what is evaluated and exported.
        settings: How it is trained.
    """

    settings: MaximumLikelihoodConfig

    def __init__(
        self, net: Net, settings: MaximumLikelihoodConfig, state: Path, run: str, *, seed: int
    ) -> None:
        super().__init__(
            state,
            run,
            minutes=settings.minutes,
            steps=settings.steps,
            images_per_step=settings.batch,
        )
        self.net, self.settings = net, settings
        self.average = copy.deepcopy(net).requires_grad_(False)
        self.generator = torch.Generator().manual_seed(seed)
        self.optimiser = torch.optim.Adam(
            net.parameters(), lr=settings.learning_rate, betas=(settings.momentum, 0.999)
        )
        self.schedule(self.optimiser, SCHEDULES[settings.schedule])

    @abstractmethod
    def _loss(self) -> Tensor:
        """Bits per dimension of a fresh batch."""

    def _begin(self) -> None:
        """The average starts where the network does."""
        self.average.load_state_dict(self.net.state_dict())

    @property
    def learning_rate(self) -> float:
        """Adam's rate in the next step."""
        return float(self.optimiser.param_groups[0]["lr"])

    def _learn(self) -> float:
        self.optimiser.zero_grad(set_to_none=True)
        loss = self._loss()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        if not bool(torch.isfinite(norm)):  # of all processes' mean gradient: all decide alike
            self.optimiser.zero_grad(set_to_none=True)  # a step without a gradient moves nothing
        self.optimiser.step()
        follow(self.average, self.net, decay_at(self.step, self.settings.ema))
        return float(loss.detach())


def halved(net: nn.Module, *, when: str) -> dict[str, NDArray[Any]]:
    """The tensors of a network for a file, those of its convolutions as 16-bit floats.

    Both directions use the same rounded values, so invertibility is untouched. Mixing matrices,
    normalisation and priors stay as they are.

    Args:
        net: The network.
        when: What the name of a tensor that is rounded contains.
    """
    arrays = {key: tensor.detach().cpu().numpy() for key, tensor in net.state_dict().items()}
    return {
        key: array.astype(np.float16) if when in key and array.ndim == 4 else array
        for key, array in arrays.items()
    }
