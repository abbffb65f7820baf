"""Learning rates of a run: as a share of the peak, by step and by how much of it is done.

A run whose length is not known is *open-ended*: it may stop anywhere, and a *cooldown* that
branches off its state, at any time and as often as wanted, gives the weights for use.
"""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["SCHEDULES"]

WARM = 200  # steps until the peak
LEVEL = 10_000  # steps until an open-ended run slows down
LAST = 0.01  # share of the peak at the end


def cosine(step: int, progress: float) -> float:
    """Of a run of a known length."""
    return min(1.0, (step + 1) / WARM) * _fall(progress)


def open_ended(step: int, progress: float) -> float:
    """Of a run without an end: the peak for a while, then with the inverse root of the step."""
    return min(1.0, (step + 1) / WARM, math.sqrt(LEVEL / (step + 1)))


def cooldown(step: int, progress: float) -> float:
    """From wherever an open-ended run stands to the end."""
    return open_ended(step, progress) * _fall(progress)


def _fall(progress: float) -> float:
    return LAST + (1 - LAST) * 0.5 * (1 + math.cos(math.pi * progress))


SCHEDULES: dict[str, Callable[[int, float], float]] = {
    "cosine": cosine,
    "open-ended": open_ended,
    "cooldown": cooldown,
}
