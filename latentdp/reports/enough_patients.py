"""How many patients a statement needs: nobody is said to be safe, or found, on too few.

A number is undecided while its interval holds both guessing and what the threshold forbids. More
patients narrow it by the square root of their number.
"""

from __future__ import annotations

import math

from latentdp.metrics.metric import Quantity
from latentdp.reports.recognition import Thresholds
from latentdp.reports.results import Measure, Outcome

__all__ = [
    "needed_in_words",
    "patients_needed",
    "patients_needed_for_use",
    "undecided",
]

_SPREAD = math.sqrt(1 / 12)  # of a patient's AUC where an attacker guesses: any is as likely
_QUANTILE = 1.96  # of a 95 % interval


def undecided(outcome: Outcome | None, limits: Thresholds) -> bool:
    """Whether it may keep its threshold as well as not: both lie within its interval."""
    if outcome is None or outcome.low is None or outcome.high is None or outcome.refutes:
        return False
    limit = _limit(outcome, limits)
    return limit is not None and outcome.reaches_chance and outcome.high > limit


def patients_needed(outcome: Outcome, limits: Thresholds) -> int | None:
    """About how many patients would decide whether an undecided number keeps its threshold.

    Args:
        outcome: An AUC of telling patients apart, or how often the own original is named first.
        limits: The thresholds.

    Returns:
        None where no number would, or it has no threshold.
    """
    limit, value = _limit(outcome, limits), outcome.value
    if limit is None or value is None or outcome.low is None or outcome.high is None:
        return None
    if outcome.metric.quantity is Quantity.AUC:
        least = _squared(_QUANTILE * _SPREAD, limit - 0.5)
    else:  # of so many nobody is named, and the interval of Clopper and Pearson ends at the limit
        least = math.log(0.025) / math.log1p(-limit) if limit > 0 else math.inf
    more, gain = 0.0, value - (outcome.chance or 0.0)
    if value < limit:
        more = outcome.patients * _squared(outcome.high - value, limit - value)
    elif gain > 0:
        more = outcome.patients * _squared(value - outcome.low, gain)
    return _about(max(least, more))


def patients_needed_for_use(measure: Measure, wanted: float) -> int | None:
    """About how many patients would tell an AUC from guessing.

    Args:
        measure: Of a classifier that learnt on private images.
        wanted: AUC from which on the images would be called useful.

    Returns:
        0 where it is told already, or lies below what is wanted; None where no number would.
    """
    if measure.value is None or measure.low is None or measure.high is None:
        return 0
    if measure.low > 0.5 or measure.high < wanted:
        return 0
    return _about(measure.patients * _squared(measure.value - measure.low, measure.value - 0.5))


def needed_in_words(count: int | None) -> str:
    """``about 190 are needed``."""
    return "more are needed" if count is None else f"about {count:,} are needed"


def _limit(outcome: Outcome, limits: Thresholds) -> float | None:
    by_quantity = {Quantity.AUC: limits.auc, Quantity.FIRST: limits.first}
    return by_quantity.get(outcome.metric.quantity)


def _squared(half: float, room: float) -> float:
    """How many times as many patients bring half an interval into some room."""
    return math.inf if room <= 0 else (half / room) ** 2


def _about(patients: float) -> int | None:
    """Rounded up to two digits; None for no number of patients."""
    if not math.isfinite(patients) or patients > 1e6:
        return None
    unit: int = 10 ** max(0, math.floor(math.log10(max(patients, 1))) - 1)
    return math.ceil(patients / unit) * unit
