r"""What Gaussian releases of a cohort's sums cost each patient, with their relation made explicit.

A release of a sum with normal noise is mu-GDP, mu = sensitivity / standard deviation (Dong, Roth
and Su 2019, "Gaussian differential privacy", theorem 1). Any number of them, each of which may
follow the results of those before, is sqrt(mu_1^2 + mu_2^2 + ...)-GDP exactly (corollary 2), and
mu-GDP is the curve

    delta(epsilon) = Phi(mu / 2 - epsilon / mu) - exp(epsilon) Phi(-mu / 2 - epsilon / mu)

(Balle and Wang 2018, arXiv 1805.06530, theorem 8). So nothing is approximated, and no sampling of
patients is assumed.

The sensitivity follows the relation. Where each patient's record is a vector of length at most 1,
leaving a patient out moves the sum by 1 (add-remove), and putting another in their place by 2
(replace-one). An accountant that forgets the 2 understates epsilon by more than half.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from latentdp.errors import InputError
from latentdp.privacy.gaussian_trade_off import log_delta
from latentdp.privacy.guarantee import Guarantee, Relation, Unit, above
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.privacy.root import root
from latentdp.privacy.units import LARGEST

__all__ = [
    "GaussianAccountant",
    "Rounds",
    "default_delta",
    "epsilon_of",
    "mu_of",
    "order_of_magnitude",
]

LARGEST_DELTA = 1e-5  # of n patients a share of delta might be exposed; never more than this
SMALLEST_EPSILON = 1e-3


@dataclass(frozen=True)
class Rounds:
    """One kind of release, and how often it is made.

    Attributes:
        release: The noise, and the bound of a record.
        times: How many, each with fresh noise; at least 1.
    """

    release: NoisySum
    times: int

    def __post_init__(self) -> None:
        if self.times < 1:
            raise InputError(f"expected at least 1 round, got {self.times}")

    def mu(self, relation: Relation) -> float:
        """Of all rounds together."""
        return above(math.sqrt(self.times) * self.release.mu(relation))


@dataclass(frozen=True)
class GaussianAccountant:
    """What several kinds of releases cost together.

    Attributes:
        rounds: All that touch the cohort, in any order.
    """

    rounds: Sequence[Rounds]

    def mu(self, relation: Relation) -> float:
        """Of everything: it is mu-GDP. 0 if there is nothing."""
        return above(math.hypot(*(each.mu(relation) for each in self.rounds)))

    def guarantee(self, delta: float, relation: Relation) -> Guarantee:
        """The smallest epsilon at this delta, of a patient.

        Raises:
            InputError: Delta is not in (0, 1).
        """
        if not 0 < delta < 1:
            raise InputError(f"expected delta in (0, 1), got {delta}")
        return Guarantee(
            epsilon=epsilon_of(self.mu(relation), delta),
            delta=delta,
            unit=Unit.PATIENT,
            relation=relation,
        )


def mu_of(epsilon: float, delta: float) -> float:
    """The largest mu whose curve stays at or below (epsilon, delta), a little below the root.

    Args:
        epsilon: In nats, from 0.001 up.
        delta: In (0, 1).

    Raises:
        InputError: One of them is out of its range.
    """
    if not SMALLEST_EPSILON <= epsilon <= LARGEST:
        raise InputError(
            f"expected epsilon from {SMALLEST_EPSILON:g} to {LARGEST:g}, got {epsilon}"
        )
    if not 0 < delta < 1:
        raise InputError(f"expected delta in (0, 1), got {delta}")
    log_mu = root(
        lambda t: max(log_delta(epsilon, math.exp(-t)), -1e9) - math.log(delta),
        math.log(1e-9),
        math.log(1e9),
    )
    mu = math.exp(log_mu) * (1 - 1e-9)
    while epsilon_of(mu, delta) > epsilon:
        mu *= 1 - 1e-7
    return mu


def default_delta(patients: int) -> float:
    """min(1e-5, n^-1.1), where n is the number of patients rounded up to a power of ten.

    Only their order of magnitude is used, so that delta, which is printed, says no more of it.
    """
    return min(LARGEST_DELTA, math.pow(float(order_of_magnitude(patients)), -1.1))


def order_of_magnitude(patients: int) -> int:
    """A number of patients, rounded up to a power of ten: all that is public of it.

        >>> [order_of_magnitude(n) for n in (1, 10, 11, 2_000)]
        [1, 10, 100, 10000]

    Raises:
        InputError: There is none.
    """
    if patients < 1:
        raise InputError(f"expected at least 1 patient, got {patients}")
    return int(10 ** (len(str(patients - 1)) if patients > 1 else 0))


def epsilon_of(mu: float, delta: float) -> float:
    """The smallest epsilon at which the curve of mu is at or below delta, never understated."""
    target = math.log(delta)
    if mu == 0 or log_delta(0.0, 1 / mu) <= target:
        return 0.0
    high = 1.0
    while log_delta(high, 1 / mu) > target:
        high *= 2
    epsilon = root(lambda e: log_delta(e, 1 / mu) - target, 0.0, high, relative=1e-12)
    return above(epsilon + 1e-9)
