"""Measured numbers as people read them: rates in percent, intervals, and a word for each."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from latentdp.core.text import at_most

__all__ = [
    "RULE",
    "advantage",
    "ceiling",
    "drawable",
    "epsilon",
    "interval",
    "number",
    "reaches_chance",
    "shown",
    "strongest",
    "verdict",
]

RULE = (
    "Refuted: the whole interval lies above the ceiling. Chance: the interval reaches guessing. "
    "Otherwise the advantage over guessing, from 0 for none to 1 for certainty, is slight below "
    "0.1, clear below 0.4, and strong from there on."
)
_RATES = re.compile(r"eer|rank-\d+|p@\d+|accuracy|balanced accuracy|tpr@.*")
_INVERSE = frozenset({"eer", "error", "mae", "mse", "rmse"})  # smaller is more dangerous
_DASH = "\N{EN DASH}"

Row = Mapping[str, Any]


def number(value: Any) -> float | None:
    """A JSON value as a number; None where there is none.

    Raises:
        TypeError: It is neither a number, nor ``infinity``, nor null.
    """
    if value is None:
        return None
    if value == "infinity":
        return math.inf
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"expected a number, got a {type(value).__name__}")
    return None if math.isnan(value) else float(value)


def drawable(value: Any) -> float | None:
    """A number that has a place on an axis; None for one that has not."""
    found = number(value)
    return found if found is not None and math.isfinite(found) else None


def shown(value: Any, metric: str) -> str:
    """A number in the unit of its metric: ``0.736``, ``51.0 %``; a dash where there is none."""
    found = number(value)
    if found is None:
        return _DASH
    if math.isinf(found):
        return "infinite" if found > 0 else "-infinite"
    if _RATES.fullmatch(metric.lower()):
        return f"{100 * found:.1f} %"
    return f"{found:.3f}" if abs(found) < 10 else f"{found:.1f}"


def interval(row: Row, metric: str) -> str:
    """The limits of a row's interval, or nothing: ``0.701\N{EN DASH}0.770``."""
    low, high = number(row.get("low")), number(row.get("high"))
    if low is None or high is None:
        return ""
    return f"{shown(low, metric).removesuffix(' %')}{_DASH}{shown(high, metric)}"


def ceiling(value: Any, metric: str) -> str:
    """A bound, rounded up: never understated."""
    found = number(value)
    if found is None:
        return "none"
    if _RATES.fullmatch(metric.lower()):
        return f"{at_most(100 * found, 2)} %"
    return at_most(found, 4)


def epsilon(guarantee: Row | None) -> str:
    """The epsilon of a method's guarantee in a word: ``8``, ``infinite``, ``none``."""
    found = None if guarantee is None else number(guarantee["epsilon"])
    if found is None:
        return "none"
    return "infinite" if math.isinf(found) else f"{found:,.6g}" if found < 1e6 else f"{found:.3g}"


def advantage(outcome: Row) -> float | None:
    """What an attack gains over guessing: 0 nothing, 1 certainty; None without a chance level."""
    value, chance = drawable(outcome["value"]), drawable(outcome["chance"])
    if value is None or chance is None:
        return None
    if outcome["metric"].lower() in _INVERSE:
        return (chance - value) / chance if chance > 0 else None
    return (value - chance) / (1 - chance) if chance < 1 else None


def verdict(outcome: Row) -> tuple[str, str]:
    """A word for an outcome, as `RULE` says, and the level in which it is shown."""
    gain = advantage(outcome)
    if outcome["refutes"]:
        return "refuted", "danger"
    if gain is None:
        return "", ""
    if reaches_chance(outcome):
        return "chance", "fine"
    return ("slight", "caution") if gain < 0.1 else ("clear" if gain < 0.4 else "strong", "danger")


def strongest(outcomes: Sequence[Row]) -> Row | None:
    """The outcome to fear most: a refuting one, then by its advantage; None if none is rated.

    One whose interval reaches guessing comes after those that do not.
    """
    rated = [
        ((bool(o["refutes"]), not reaches_chance(o), gain), -i)
        for i, o in enumerate(outcomes)
        if (gain := advantage(o)) is not None
    ]
    return outcomes[-max(rated)[1]] if rated else None


def reaches_chance(outcome: Row) -> bool:
    """Whether the interval of an outcome with a chance level holds it, or lies below it."""
    inverse = outcome["metric"].lower() in _INVERSE
    limit, chance = number(outcome["high" if inverse else "low"]), number(outcome["chance"])
    if limit is None or chance is None:
        return False
    return limit >= chance if inverse else limit <= chance
