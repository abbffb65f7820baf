r"""Laplace: every count gets noise, and the largest noisy count wins, as in the first PATE.

The noise is the two-sided geometric of `latentdp.privacy.samplers.discrete_laplace`, on a grid of
64 cells a vote, drawn exactly (Papernot and others 2017, "Semi-supervised knowledge transfer", who
draw floats). A tie is decided by fair lot, which is no matter of votes any more.

Cost. One vote that moves changes two counts by 1, that is 64 cells. Releasing all noisy counts
would cost 2 l, l the loss of the noise over 64 cells, computed from its integer table: each of two
independent counts is l-differentially private. The winner follows from the noisy counts, so it
costs e = 2 l at most, and each count being (l^2 / 2)-zCDP, (l^2 = e^2 / 4)-zCDP: twice what the
exponential mechanism costs at equal epsilon. It is here for comparison.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.privacy.aggregators.base import Aggregator, checked_counts
from latentdp.privacy.guarantee import above
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.discrete_laplace import MAX_BASE, two_sided_geometric
from latentdp.privacy.samplers.uniform import below

__all__ = ["NoisyCounts", "aggregator"]

CELLS = 64  # of a vote


@dataclass(frozen=True)
class NoisyCounts(Aggregator):
    """Answers with the largest of noisy counts.

    Attributes:
        parameter: Cells over which the probability of noise halves; 1 to 2^18.
    """

    parameter: int
    name: ClassVar[str] = "laplace"
    title: ClassVar[str] = "the largest of counts with two-sided geometric noise"
    source: ClassVar[str] = "Papernot and others 2017"

    def __post_init__(self) -> None:
        two_sided_geometric(self.parameter)

    @classmethod
    def of(cls, parameter: int) -> Self:
        """The one that a card states."""
        return cls(parameter)

    @classmethod
    def calibrate(cls, epsilon: float) -> Self:
        """The narrowest noise that fits."""
        base = max(1, math.ceil(2 * CELLS * math.log(2) / epsilon))
        while base <= MAX_BASE and cls(base).epsilon > epsilon:
            base += 1
        if base > MAX_BASE:
            raise InputError(
                "the budget is too small for so many answers; give a larger epsilon, or ask less"
            )
        return cls(base)

    @property
    def epsilon(self) -> float:
        """Of two counts that move by a vote each."""
        return above(2 * two_sided_geometric(self.parameter).loss(CELLS))

    @property
    def rho(self) -> float:
        """Of the same two."""
        return above(two_sided_geometric(self.parameter).loss(CELLS) ** 2)

    def winners(self, counts: NDArray[np.int64], noise: Noise) -> NDArray[np.int64]:
        """The largest; of equal ones a fair choice."""
        counts = checked_counts(counts)
        # The sampler gives twice the noise, which lies on half-integers.
        drawn = two_sided_geometric(self.parameter).draw(noise, counts.size)
        noisy = 2 * CELLS * counts + drawn.reshape(counts.shape)
        largest = noisy == noisy.max(axis=1, keepdims=True)
        winners = largest.argmax(axis=1)
        for row in np.flatnonzero(largest.sum(axis=1) > 1):
            tied = np.flatnonzero(largest[row])
            winners[row] = tied[below(noise, len(tied), 1)[0]]
        return np.asarray(winners, dtype=np.int64)

    def wrong(self, lead: int) -> float:
        """Of continuous noise of the same width: (2 + d) e^-d / 4, d = lead ln 2 64 / base."""
        width = lead * CELLS * math.log(2) / self.parameter
        return (2 + width) * math.exp(-width) / 4


aggregator = NoisyCounts
