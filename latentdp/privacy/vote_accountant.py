r"""What many noisy elections cost a patient, and a whole site.

Elections are composed by zCDP, which adds up and allows each to follow from earlier answers (Bun
and Steinke 2016, lemma 1.7), or by adding up their epsilons, whichever is less. rho-zCDP is
(alpha, alpha rho)-RDP of every order alpha > 1, and that is (epsilon, delta)-differential privacy
with

    epsilon = alpha rho + ln(1 - 1 / alpha) - (ln delta + ln alpha) / (alpha - 1)

(Canonne, Kamath and Steinke 2020, proposition 12). Any order gives a true bound, so the best of
many is taken.

Where m voters may change at once, an election is (m epsilon)-differentially private and
(m^2 rho)-zCDP (Bun and Steinke 2016, proposition 1.9): m = 1 of a patient, and m all voters of a
hospital for whoever asks what the votes tell of the hospital as a whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core import plugins
from latentdp.errors import InputError
from latentdp.privacy.aggregators.base import MOST_VOTES, Aggregator
from latentdp.privacy.gaussian_accountant import SMALLEST_EPSILON
from latentdp.privacy.guarantee import Guarantee, Relation, Unit, above
from latentdp.privacy.root import root
from latentdp.privacy.units import LARGEST

__all__ = ["KIND", "Elections", "epsilon_of_rho", "told_by_votes"]

KIND = "aggregators"
MOST_ELECTIONS = 10**9  # a card may state any number
ORDERS = 1 + np.logspace(-3, 4, 1_500)  # alpha; at a rho of 1e-9 and of 1e3 the best is inside


@dataclass(frozen=True)
class Elections:
    """A number of noisy elections under one aggregator.

    Attributes:
        aggregator: How each is answered, with fresh noise.
        number: How many there are, from 1 to a thousand million.

    Raises:
        InputError: There are none, or too many.
    """

    aggregator: Aggregator
    number: int

    def __post_init__(self) -> None:
        _check_number(self.number)

    @classmethod
    def calibrate(cls, name: str, number: int, epsilon: float, delta: float) -> Self:
        """The least noise that costs a patient at most (epsilon, delta).

        >>> from latentdp.privacy.guarantee import Relation
        >>> elections = Elections.calibrate("exponential", 100, 2.0, 1e-5)
        >>> 1.999 < elections.guarantee(1e-5, Relation.REPLACE_ONE).epsilon <= 2.0
        True

        Args:
            name: Of the aggregator.
            number: Of elections.
            epsilon: In nats.
            delta: In (0, 1).

        Raises:
            InputError: No such aggregator, or a budget that is none, or too small for any use.
        """
        kind: type[Aggregator] = plugins.load(KIND, name).aggregator
        if not SMALLEST_EPSILON <= epsilon <= LARGEST:
            raise InputError(
                f"expected epsilon from {SMALLEST_EPSILON:g} to {LARGEST:g}, got {epsilon}"
            )
        if not 0 < delta < 1:
            raise InputError(f"expected delta in (0, 1), got {delta}")
        _check_number(number)

        def over(log_each: float) -> float:
            try:
                one = kind.calibrate(math.exp(log_each))
            except InputError:  # more noise than there is: it would cost nearly nothing
                return -epsilon
            return cls(one, number).epsilon(delta) - epsilon

        low, high = math.log(epsilon / number), math.log(epsilon)
        each = math.exp(high if over(high) <= 0 else root(over, low - 1, high))
        while True:
            elections = cls(kind.calibrate(each), number)
            if elections.epsilon(delta) <= epsilon:
                return elections
            each *= 1 - 1e-6

    def epsilon(self, delta: float, voters: int = 1) -> float:
        """At this delta, of all elections together, where so many voters may change at once.

        Raises:
            InputError: There are fewer voters than one, or more than any aggregator has.
        """
        if not 1 <= voters <= MOST_VOTES:
            raise InputError(f"expected 1 to {MOST_VOTES:,} voters")
        added = above(self.number * voters * self.aggregator.epsilon)
        rho = above(self.number * voters**2 * self.aggregator.rho)
        return min(added, epsilon_of_rho(rho, delta))

    def guarantee(self, delta: float, relation: Relation) -> Guarantee:
        """Of a patient; the same under both relations, as one vote moves at most.

        Raises:
            InputError: Delta is not in (0, 1).
        """
        if not 0 < delta < 1:
            raise InputError(f"expected delta in (0, 1), got {delta}")
        return Guarantee(
            epsilon=self.epsilon(delta), delta=delta, unit=Unit.PATIENT, relation=relation
        )


def _check_number(number: int) -> None:
    if not 1 <= number <= MOST_ELECTIONS:
        few = str(number) if number < 1 else "more"
        raise InputError(f"expected 1 to {MOST_ELECTIONS:,} elections, got {few}")


def epsilon_of_rho(rho: float, delta: float) -> float:
    """A bound of epsilon of what is rho-zCDP, at this delta, never understated.

    Args:
        rho: At least 0.
        delta: In (0, 1).
    """
    if rho == 0:
        return 0.0
    return _best(ORDERS * rho, delta)


def told_by_votes(aggregator: Aggregator, counts: NDArray[np.int64], delta: float) -> float | None:
    """Epsilon of these very counts: what moving any one vote in each election would change.

    It is **private**, since it follows from the votes (Papernot and others 2018): it belongs into
    the vault, and promises nothing of other cohorts. In floats.

    Args:
        aggregator: How they are answered.
        counts: ``(q, k)`` of all elections.
        delta: In (0, 1).

    Returns:
        None where the aggregator's chances are not known.
    """
    here = aggregator.probabilities(counts)
    if here is None:
        return None
    orders = ORDERS[::25]
    worst = np.zeros((len(counts), len(orders)))
    candidates = counts.shape[1]
    for loser in range(candidates):
        for gainer in range(candidates):
            able = counts[:, loser] > 0
            if loser == gainer or not able.any():
                continue
            moved = counts[able].copy()
            moved[:, loser] -= 1
            moved[:, gainer] += 1
            there = aggregator.probabilities(moved)
            assert there is not None
            for one, other in ((here[able], there), (there, here[able])):
                worst[able] = np.maximum(worst[able], _renyi(one, other, orders))
    return _best(worst.sum(axis=0), delta, orders)


def _renyi(
    one: NDArray[np.float64], other: NDArray[np.float64], orders: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Divergence ``(q, a)`` of each order between distributions ``(q, k)``."""
    tiny = np.finfo(np.float64).tiny
    logs, others = np.log(np.maximum(one, tiny)), np.log(np.maximum(other, tiny))
    terms = orders * (logs - others)[:, :, None] + others[:, :, None]
    most = terms.max(axis=1, keepdims=True)
    sums = np.log(np.exp(terms - most).sum(axis=1)) + most[:, 0]
    return np.asarray(np.maximum(sums, 0) / (orders - 1))


def _best(
    divergence: NDArray[np.float64], delta: float, orders: NDArray[np.float64] = ORDERS
) -> float:
    """The least epsilon over orders, of a divergence ``(a,)`` of each order."""
    bounds = divergence + np.log1p(-1 / orders) - (math.log(delta) + np.log(orders)) / (orders - 1)
    return above(max(0.0, float(bounds.min())) + 1e-9)
