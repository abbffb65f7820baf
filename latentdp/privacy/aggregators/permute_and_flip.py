r"""Permute and flip: candidates in random order, and the first whose coin says so wins.

The coin of candidate j falls with probability r^(d_j), d_j votes behind the first, whose own coin
always does (McKenna and Sheldon 2020, "Permute-and-flip"). Coins are ratios of integers and thrown
exactly. It errs at most half as often as the exponential mechanism of the same epsilon.

Cost. e-differentially private with e = 2 ln(1 / r) for scores of sensitivity 1 (theorem 1 there).
Its range is no narrower: with two candidates at a lead of 2, the vote that makes it a draw moves
the logarithm of one chance by e and of the other by nearly -e. So it is (e^2 / 2)-zCDP (Bun and
Steinke 2016, proposition 1.4), four times the exponential mechanism: it is for few questions,
which are added up by their epsilons.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from latentdp.privacy.aggregators._powers import BITS, FallingOdds
from latentdp.privacy.aggregators.base import Aggregator, checked_counts
from latentdp.privacy.guarantee import above
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.categorical import Choice
from latentdp.privacy.samplers.uniform import permutation

__all__ = ["PermuteAndFlip", "aggregator"]


class PermuteAndFlip(FallingOdds, Aggregator):
    """Throws a coin for one candidate after the other, in random order."""

    name: ClassVar[str] = "permute_and_flip"
    title: ClassVar[str] = "candidates in random order, each accepted by a coin of its votes"
    source: ClassVar[str] = "McKenna and Sheldon 2020"

    @property
    def rho(self) -> float:
        """By its epsilon alone."""
        return above(self.epsilon**2 / 2)

    def winners(self, counts: NDArray[np.int64], noise: Noise) -> NDArray[np.int64]:
        """By a fresh order and fresh coins for each election."""
        counts = checked_counts(counts)
        return np.array([self._winner(row, noise) for row in counts.tolist()], dtype=np.int64)

    def wrong(self, lead: int) -> float:
        """r^lead / 2."""
        return float((self.parameter / 2**BITS) ** lead) / 2

    def probabilities(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """a_j times the integral over x in [0, 1] of prod_{i != j} (1 - x a_i), a_i = r^(d_i).

        x is when j's turn comes; none before it was accepted. The quadrature is exact.
        """
        odds = self.odds(counts)
        places, shares = leggauss((odds.shape[1] + 1) // 2)
        refused = 1 - (places[:, None, None] + 1) / 2 * odds
        candidates = range(odds.shape[1])
        others = [np.delete(refused, j, axis=2).prod(axis=2).T @ shares / 2 for j in candidates]
        return np.asarray(odds * np.stack(others, axis=1))

    def _winner(self, counts: list[int], noise: Noise) -> int:
        first = max(counts)
        for candidate in permutation(noise, len(counts)).tolist():
            numerator, whole = self.power(first - counts[candidate])
            if Choice((whole - numerator, numerator)).draw(noise, 1)[0]:
                return int(candidate)
        raise AssertionError("the first candidate's coin always falls")


aggregator = PermuteAndFlip
