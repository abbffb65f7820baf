r"""What Gaussian sums over patients drawn by coins cost, with their relation made explicit.

In each step every patient takes part with a probability q, by a coin of their own (Poisson
sampling); the sum of the records of those who do, each of a length of at most 1, gets normal noise
of deviation s. The distribution of the privacy loss is composed numerically, rounded against
privacy (Koskela, Jaelkoe and Honkela 2020, arXiv 1906.03049; Doroshenko et al. 2022, arXiv
2207.04380; the library dp-accounting).

The relation matters twice: another patient in the place of one moves the sum by 2, and it is the
pair of *both* mixtures that counts. The accountant of Renyi orders in dp-accounting 0.6 forgets
the 2 (issue 378 of google/differential-privacy); that of loss distributions, which is used here,
does not. `tests/privacy/test_sampled_gaussian_accountant.py` holds it to the exact curve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee, Relation, Unit, above

__all__ = ["SampledRounds", "sampled_guarantee"]

INTERVAL = 1e-3  # of the losses; a coarser one overstates more


@dataclass(frozen=True)
class SampledRounds:
    """One kind of release, and how often it is made.

    Attributes:
        probability: Of each patient to take part in a round, in (0, 1]; 1 is everybody.
        deviation: Of the noise on each entry, where a record has a length of at most 1.
        times: Rounds, each with fresh noise and fresh coins; at least 1.

    Raises:
        InputError: A value is out of its range.
    """

    probability: float
    deviation: float
    times: int

    def __post_init__(self) -> None:
        if not 0 < self.probability <= 1:
            raise InputError(f"expected a probability in (0, 1], got {self.probability}")
        if not (math.isfinite(self.deviation) and self.deviation > 0):
            raise InputError(f"expected a finite positive deviation, got {self.deviation}")
        if self.times < 1:
            raise InputError(f"expected at least 1 round, got {self.times}")


def sampled_guarantee(
    rounds: Sequence[SampledRounds], delta: float, relation: Relation
) -> Guarantee:
    """The epsilon of all rounds together, of a patient, rounded up.

        >>> one = SampledRounds(probability=1.0, deviation=4.0, times=1)
        >>> round(sampled_guarantee([one], 1e-5, Relation.ADD_REMOVE).epsilon, 2)
        0.93

    Args:
        rounds: All that touch the cohort, fixed beforehand.
        delta: In (0, 1).
        relation: Of cohorts.

    Raises:
        InputError: Delta is not in (0, 1).
    """
    if not 0 < delta < 1:
        raise InputError(f"expected delta in (0, 1), got {delta}")
    return Guarantee(
        epsilon=_epsilon(tuple(rounds), delta, relation),
        delta=delta,
        unit=Unit.PATIENT,
        relation=relation,
    )


@lru_cache(maxsize=256)
def _epsilon(rounds: tuple[SampledRounds, ...], delta: float, relation: Relation) -> float:
    from dp_accounting import (
        GaussianDpEvent,
        NeighboringRelation,
        PoissonSampledDpEvent,
        SelfComposedDpEvent,
    )
    from dp_accounting.pld import PLDAccountant

    relations = {
        Relation.ADD_REMOVE: NeighboringRelation.ADD_OR_REMOVE_ONE,
        Relation.REPLACE_ONE: NeighboringRelation.REPLACE_ONE,
    }
    accountant = PLDAccountant(relations[relation], value_discretization_interval=INTERVAL)
    for each in rounds:
        event: Any = GaussianDpEvent(each.deviation)
        if each.probability < 1:
            event = PoissonSampledDpEvent(each.probability, event)
        accountant.compose(SelfComposedDpEvent(event, each.times))
    return above(max(0.0, float(accountant.get_epsilon(delta))))
