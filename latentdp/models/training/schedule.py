"""Learning rates of a run: as a share of the peak, by step and by how much of it is done.

A run whose length is not known is *open-ended*: it may stop anywhere, and a *cooldown* that
branches off its state, at any time and as often as wanted, gives the weights for use.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

__all__ = ["SCHEDULES", "Schedule", "cosine", "scheduler"]

Schedule = Callable[[int, float], float]  # of the step, from 0, and of the progress, in [0, 1]

WARM = 200  # steps until the peak
LEVEL = 10_000  # steps until an open-ended run slows down
LAST = 0.01  # share of the peak at the end


def cosine(step: int, progress: float, *, warm: float = WARM) -> float:
    """Share of the peak in a run of a known length: linear up, then half a cosine down to 1 %.

    Args:
        step: Number of the optimiser's step, from 0.
        progress: How much of the run is done, in [0, 1].
        warm: Steps until the peak.
    """
    return min(1.0, (step + 1) / warm) * _fall(progress)


def open_ended(step: int, progress: float) -> float:
    """Share of the peak in a run without an end: with the inverse root of the step, at last."""
    return min(1.0, (step + 1) / WARM, math.sqrt(LEVEL / (step + 1)))


def cooldown(step: int, progress: float) -> float:
    """Share of the peak from wherever an open-ended run stands to the end."""
    return open_ended(step, progress) * _fall(progress)


def _fall(progress: float) -> float:
    return LAST + (1 - LAST) * 0.5 * (1 + math.cos(math.pi * progress))


SCHEDULES: dict[str, Schedule] = {
    "cosine": cosine,
    "open-ended": open_ended,
    "cooldown": cooldown,
}


def scheduler(optimiser: Optimizer, share: Callable[[int], float], step: int = 0) -> LambdaLR:
    """Torch's scheduler for an optimiser that is about to take a step.

    Unlike torch's own state of a scheduler it needs nothing that a state file of a run did not
    have before there were schedulers.

    Args:
        optimiser: Made with the peak rate.
        share: Share of the peak, by step.
        step: The one to be taken next: 0, or where a resumed run stands.
    """
    for group in optimiser.param_groups:
        group["initial_lr"] = optimiser.defaults["lr"]
    return LambdaLR(optimiser, share, last_epoch=step - 1)
