r"""The exponential mechanism: a candidate wins with chances that grow by one factor a vote.

With r < 1 and counts c, candidate j wins with probability p_j = b^(c_j) / sum_i b^(c_i), b = 1/r
(McSherry and Talwar 2007, with scores of sensitivity 1). All are ratios of integers, and the
winner is drawn from these integers exactly.

Cost. Let one vote move from x to y. ln p_j changes by (c'_j - c_j) ln b - ln(Z'/Z), where
c'_j - c_j is -1, 0 or 1 and the last term is the same for all j. So the changes over j lie in an
interval of length e = 2 ln b (it has a *bounded range*, Durfee and Rogers 2019) that holds 0, as
both p are distributions: the election is e-differentially private. Then it is (e^2 / 8)-zCDP
(Cesar and Rogers 2021, arXiv 2004.07223). For the loss L = ln(p / p') lies in an interval of
length e, so that by Hoeffding's lemma under p

    0 = ln E exp(-L) <= -E L + e^2 / 8, and
    ln E exp((a - 1) L) <= (a - 1) E L + (a - 1)^2 e^2 / 8 <= (a - 1) a e^2 / 8,

the divergence of order a, times a - 1. That is a quarter of what e-differential privacy alone
gives, whose losses fill an interval of length 2 e. Hence the usual choice for many questions.

It is the argmax of counts with Gumbel noise of scale 2 / e.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentdp.privacy.aggregators._powers import BITS, FallingOdds
from latentdp.privacy.aggregators.base import Aggregator, checked_counts
from latentdp.privacy.guarantee import above
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.categorical import Choice

__all__ = ["ExponentialMechanism", "aggregator"]


class ExponentialMechanism(FallingOdds, Aggregator):
    """Draws a winner in proportion to exponential weights.

    >>> ExponentialMechanism.calibrate(0.5).epsilon <= 0.5
    True
    """

    name: ClassVar[str] = "exponential"
    title: ClassVar[str] = "a winner drawn in proportion to b^votes"
    source: ClassVar[str] = "McSherry and Talwar 2007; zCDP by Cesar and Rogers 2021"

    @property
    def rho(self) -> float:
        """By its bounded range."""
        return above(self.epsilon**2 / 8)

    def winners(self, counts: NDArray[np.int64], noise: Noise) -> NDArray[np.int64]:
        """By exact inversion of integer weights."""
        counts = checked_counts(counts)
        drawn = [self._weights(row).draw(noise, 1)[0] for row in counts.tolist()]
        return np.array(drawn, dtype=np.int64)

    def wrong(self, lead: int) -> float:
        """r^lead / (1 + r^lead)."""
        odds = float((self.parameter / 2**BITS) ** lead)
        return odds / (1 + odds)

    def probabilities(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """In proportion to the weights."""
        odds = self.odds(counts)
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def _weights(self, counts: list[int]) -> Choice:
        first, last = max(counts), min(counts)
        powers = [self.power(first - count)[0] for count in counts]
        shifts = [BITS * (count - last) for count in counts]  # over one denominator
        return Choice(tuple(p << shift for p, shift in zip(powers, shifts, strict=True)))


aggregator = ExponentialMechanism
