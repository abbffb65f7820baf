"""The two-sided geometric distribution: discrete Laplace noise from integer tables.

Floating-point Laplace or Gaussian noise has gaps that give the input away (Mironov 2012, "On
significance of the least significant bits for differential privacy"). `TwoSidedGeometric` has
none: its probabilities are ratios of integers fixed in a table, and its privacy loss is computed
from those integers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.privacy.noise import WORD, Noise

__all__ = ["MAX_BASE", "TwoSidedGeometric", "two_sided_geometric"]


MAX_BASE = 2**18
_HIGH_BITS = 16  # of a word, for the high part
_MASS_BITS = WORD - 1 - _HIGH_BITS  # for the low part; the last one is the sign


@dataclass(frozen=True)
class TwoSidedGeometric:
    """Noise N on the half-integers with P(N = n) proportional to 2 ** (-|n| / base).

    |N| = K + 1/2 with K = base * H + L: H is geometric with ratio 1/2 (the trailing zeros of
    random bits) and L in [0, base) has the integer masses of a table. Half-integers have no atom
    at zero that both signs would hit, so there is no rejection and the work is constant.

    It is the continuous Laplace distribution of scale ``base / ln 2``, rounded down to an integer
    plus one half; whatever bounds the loss of that distribution bounds this one, up to `slack`.

    Attributes:
        base: How many unit steps halve the probability; 1 to 2 ** 18.
    """

    base: int

    def __post_init__(self) -> None:
        if not 1 <= self.base <= MAX_BASE:
            raise InputError(f"expected a base in 1..{MAX_BASE}, got {self.base}")

    @cached_property
    def masses(self) -> NDArray[np.int64]:
        """Integer masses of L, ``(base,)``, summing to 2 ** 47 exactly."""
        ideal = np.exp2(-np.arange(self.base) / self.base)
        masses: NDArray[np.int64] = np.floor(ideal * (2.0**_MASS_BITS / ideal.sum())).astype(
            np.int64
        )
        missing = 2**_MASS_BITS - int(masses.sum())
        # Fewer than 2 * base units are missing from rounding down; give them out evenly.
        masses += missing // self.base
        masses[: missing % self.base] += 1
        return masses

    @cached_property
    def slack(self) -> float:
        """How much the loss between neighbouring values may exceed its ideal, in nats.

        max - min over l of ln(mass[l]) + l ln2 / base, from the actual integers; 1e-13 covers
        the rounding of this computation itself.
        """
        loss = np.log(self.masses.astype(np.float64)) + np.arange(self.base) * (
            math.log(2) / self.base
        )
        return float(loss.max() - loss.min()) + 1e-13

    def loss(self, distance: int) -> float:
        """Upper bound of the privacy loss between two inputs ``distance`` steps apart, in nats."""
        return distance * math.log(2) / self.base + (self.slack if distance else 0.0)

    def draw(self, noise: Noise, n: int) -> NDArray[np.int64]:
        """``n`` draws of 2 N, which are odd integers."""
        words = noise.words(n)
        uniform = (words >> np.uint64(_HIGH_BITS)) & np.uint64(2**_MASS_BITS - 1)
        thresholds, guide, shift = self._guide
        cell = (uniform >> np.uint64(shift)).astype(np.int64)
        low = guide[cell]
        low += uniform.astype(np.int64) >= thresholds[low]
        rounds = (words & np.uint64(2**_HIGH_BITS - 1)).astype(np.int64)
        high = _trailing_zeros(_HIGH_BITS)[rounds]
        overflow = np.flatnonzero(high == _HIGH_BITS)
        if overflow.size:  # 16 zeros, once in 65,536 draws: go on counting in fresh words
            high[overflow] += _count_zeros(noise, overflow.size)
        magnitude = 2 * (self.base * high + low) + 1
        sign = 1 - 2 * (words >> np.uint64(WORD - 1)).astype(np.int64)
        return magnitude * sign

    def log_probability(self, twice: NDArray[np.int64]) -> NDArray[np.float64]:
        """Log of P(2 N = twice), from the integer masses; -inf where ``twice`` is even."""
        high, low = np.divmod((np.abs(twice) - 1) // 2, self.base)
        logs = np.log(self.masses.astype(np.float64)) - _MASS_BITS * math.log(2)
        # Halves: one for the sign, one for each round of the base, one to stop after the last.
        return np.where(twice % 2 != 0, logs[low] - (high + 2) * math.log(2), -np.inf)

    @cached_property
    def _guide(self) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """Upper thresholds of L, first candidate per cell of equal width, and the cell's shift.

        Cells are narrower than the smallest mass, so each holds at most one threshold and one
        comparison finds L.
        """
        cells = 1 << max(2, math.ceil(math.log2(4 * self.base)))
        shift = _MASS_BITS - int(math.log2(cells))
        thresholds = np.cumsum(self.masses)
        if int(self.masses.min()) < 2**shift:
            raise InputError(f"base {self.base}: a mass is narrower than a cell of the guide")
        starts = np.arange(cells, dtype=np.int64) << shift
        return thresholds, np.searchsorted(thresholds, starts, side="right"), shift


@lru_cache(maxsize=32)
def two_sided_geometric(base: int) -> TwoSidedGeometric:
    """The sampler of this base, with its tables kept."""
    return TwoSidedGeometric(base)


@lru_cache(maxsize=2)
def _trailing_zeros(bits: int) -> NDArray[np.int64]:
    """Of every number of so many bits; all of them for 0."""
    counts = [bits] + [(i & -i).bit_length() - 1 for i in range(1, 2**bits)]
    return np.array(counts, dtype=np.int64)


def _count_zeros(noise: Noise, n: int) -> NDArray[np.int64]:
    """Number of zero bits before the first one in an endless stream, for ``n`` streams."""
    counts = np.zeros(n, dtype=np.int64)
    going = np.arange(n)
    while going.size:
        words = noise.words(going.size)
        zeros = [WORD if w == 0 else (int(w) & -int(w)).bit_length() - 1 for w in words]
        counts[going] += zeros
        going = going[words == 0]
    return counts
