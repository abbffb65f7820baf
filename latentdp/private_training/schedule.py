"""How the noise of a training goes on over its rounds: fixed beforehand, so that it composes.

Rounds of other noise each, which nobody chooses by what came out, cost together what the sum of
1 / sigma_t^2 says: T Gaussian releases are mu-GDP with mu^2 the sum of theirs, whatever the order.
A schedule is the share of that sum which each round has.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError

__all__ = ["CONSTANT", "SCHEDULES", "shares"]

CONSTANT, FALLING = "constant", "falling"
SCHEDULES = (CONSTANT, FALLING)
QUIETER = 4.0  # deviation of the first round over that of the last, where it falls


def shares(schedule: str, rounds: int) -> NDArray[np.float64]:
    """Share of mu^2 of each round, ``(rounds,)``, above 0; they add up to 1.

        >>> shares("constant", 4).tolist()
        [0.25, 0.25, 0.25, 0.25]

    Args:
        schedule: One of `SCHEDULES`. ``falling``: the deviation falls from round to round by one
            factor, to a quarter, as steps near the minimum need the finer gradients (Du et al.
            2021, "Dynamic differential-privacy preserving SGD", arXiv 2111.00173).
        rounds: At least 1.

    Raises:
        InputError: There is no such schedule.
    """
    if schedule == CONSTANT:
        return np.full(rounds, 1 / rounds)
    if schedule == FALLING:
        growth = QUIETER ** (2 * np.arange(rounds) / max(1, rounds - 1))
        return np.asarray(growth / growth.sum())
    raise InputError(f"no schedule {schedule!r}; there are: {', '.join(SCHEDULES)}")
