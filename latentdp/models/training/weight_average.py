"""The average of a network's weights over a run, which is what is evaluated and used.

Exponential (Polyak and Juditsky 1992), as ``torch.optim.swa_utils.AveragedModel`` has it, with two
differences: the first steps count less, so that a short run does not keep its random start, and
the average is a network as any other, whose tensors have the names that files of it have.
"""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["decay_at", "follow"]


def decay_at(step: int, decay: float) -> float:
    """Share of the average that a step leaves: ``decay``, and less in the first steps.

    Args:
        step: Number of the optimiser's step, from 0.
        decay: In the long run, in [0, 1).
    """
    return min(decay, (2 + step) / (11 + step))


def follow(average: nn.Module, net: nn.Module, decay: float) -> None:
    """Moves the average towards the network; its whole numbers, which count, become the same.

    Args:
        average: A copy of the network, changed in place.
        net: The network after a step.
        decay: Share of the average that is left.
    """
    with torch.no_grad():
        for mean, value in zip(
            average.state_dict().values(), net.state_dict().values(), strict=True
        ):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)
