"""Odds that fall by one exact factor with each vote behind: r = numerator / 2^32 below 1.

Powers of r are ratios of integers, so chances that are made of them are drawn exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.privacy.guarantee import above, log_ratio

__all__ = ["BITS", "FallingOdds"]

BITS = 32
WHOLE = 2**BITS


@dataclass(frozen=True)
class FallingOdds:
    """What exponential weights of integer counts have in common.

    Attributes:
        parameter: Numerator of r; from 1 to 2^32 - 1.
    """

    parameter: int

    def __post_init__(self) -> None:
        if not 1 <= self.parameter < WHOLE:
            raise InputError(f"expected odds from 1 to {WHOLE - 1} in 2^{BITS} for a vote behind")

    @classmethod
    def of(cls, parameter: int) -> Self:
        """The one that a card states."""
        return cls(parameter)

    @classmethod
    def calibrate(cls, epsilon: float) -> Self:
        """The steepest with 2 ln(1 / r) at most ``epsilon``.

        Raises:
            InputError: It is hardly above 0.
        """
        # A rounding above the true exponential can only make r larger, and epsilon smaller.
        numerator = max(1, math.ceil(WHOLE * math.exp(-epsilon / 2) * (1 + 1e-15)))
        while numerator < WHOLE and cls(numerator).epsilon > epsilon:
            numerator += 1
        if numerator >= WHOLE:
            raise InputError(
                "the budget is too small for so many answers; give a larger epsilon, or ask less"
            )
        return cls(numerator)

    @property
    def epsilon(self) -> float:
        """2 ln(1 / r): what one vote that moves may do, of either kind of weights."""
        return above(2 * log_ratio(WHOLE, self.parameter))

    def power(self, behind: int) -> tuple[int, int]:
        """r^behind as numerator and denominator."""
        return self.parameter**behind, 1 << (BITS * behind)

    def odds(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """r^(votes behind the first) ``(q, k)`` in floats."""
        behind = counts.max(axis=1, keepdims=True) - counts
        return np.asarray((self.parameter / WHOLE) ** behind)
