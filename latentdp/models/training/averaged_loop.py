"""A run of one network whose average is what is used: what its state holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

import torch
from torch import nn

from latentdp.models.training.loop import Part, TrainingLoop

__all__ = ["AveragedLoop", "Net"]

Net = TypeVar("Net", bound=nn.Module)


class AveragedLoop(TrainingLoop, Generic[Net]):
    """A loop that keeps a network, its average, its optimiser and its random draws.

    A subclass makes these four and says what a step does.

    Attributes:
        net: What learns.
        average: The averaged network.
        optimiser: Of the network.
        generator: Of everything random in a step.
    """

    net: Net
    average: Net
    optimiser: torch.optim.Optimizer
    generator: torch.Generator

    def _parts(self) -> Mapping[str, Part]:
        return {
            "net": self.net,
            "average": self.average,
            "optimiser": self.optimiser,
            "generator": self.generator,
        }
