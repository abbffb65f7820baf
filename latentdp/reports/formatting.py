"""Measured numbers as people read them: rates in percent, intervals, and a word for each."""

from __future__ import annotations

import math
from decimal import Decimal

from latentdp.metrics.metric import Metric, MetricUnit
from latentdp.privacy.rounding import at_most, printed
from latentdp.reports.comparison import Cell
from latentdp.reports.evaluation_parts import MethodGuarantee
from latentdp.reports.results import Measure, Outcome

__all__ = ["FEW", "RULE", "ceiling", "epsilon", "interval", "shown", "verdict"]

RULE = (
    "Refuted: the whole interval lies above the ceiling. Too few: so few patients say nothing. "
    "Chance: the interval reaches guessing. "
    "Otherwise the advantage over guessing, from 0 for none to 1 for certainty, is slight below "
    "0.1, clear below 0.4, and strong from there on."
)
FEW = "too few patients"  # instead of an interval from 0 to 1
_DASH = "\N{EN DASH}"


def shown(value: float | None, metric: Metric) -> str:
    """A number in the unit of its metric: ``0.736``, ``51.0 %``; a dash where there is none."""
    if value is None or math.isnan(value):
        return _DASH
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    if metric.unit is MetricUnit.SHARE:
        return f"{100 * value:.1f} %"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def interval(row: Outcome | Measure | Cell, metric: Metric) -> str:
    """The limits of a row's interval, or nothing: ``0.701\N{EN DASH}0.770``."""
    if row.low is None or row.high is None:
        return ""
    if not isinstance(row, Cell) and row.says_nothing:
        return FEW
    return f"{shown(row.low, metric).removesuffix(' %')}{_DASH}{shown(row.high, metric)}"


def ceiling(value: float | None, metric: Metric) -> str:
    """A bound, rounded up: never understated."""
    if value is None:
        return "none"
    return f"{at_most(100 * value, 2)} %" if metric.unit is MetricUnit.SHARE else at_most(value, 4)


def epsilon(guarantee: MethodGuarantee | None) -> str:
    """The epsilon of a method's guarantee in a word: ``8``, ``infinite``, ``none``."""
    if guarantee is None:
        return "none"
    bound = guarantee.epsilon
    if bound is None:
        return "infinite"
    return f"{Decimal(printed(bound)):,}" if bound < 1e6 else printed(bound, 3)


def verdict(outcome: Outcome) -> tuple[str, str]:
    """A word for an outcome, as `RULE` says, and the level in which it is shown."""
    gain = outcome.advantage
    if outcome.refutes:
        return "refuted", "danger"
    if gain is None:
        return "", ""
    if outcome.says_nothing:
        return "too few", "caution"
    if outcome.reaches_chance:
        return "chance", "fine"
    return ("slight", "caution") if gain < 0.1 else ("clear" if gain < 0.4 else "strong", "danger")
