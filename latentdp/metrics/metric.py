"""What a number is: its name and words, its unit, and which way is better for whom it rates.

Numbers travel by name in JSON; here the name becomes a `Metric` again. Definitions are plug-ins:
a new one is a file in `latentdp.metrics.definitions`, and nothing else is edited.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from latentdp.core import plugins

__all__ = ["Goal", "Metric", "Quantity", "MetricUnit", "named"]


class MetricUnit(StrEnum):
    """How a number is written."""

    NUMBER = "number"
    SHARE = "share"  # in [0, 1], shown in percent


class Goal(StrEnum):
    """Which way is better for whoever is rated: an attacker, or whoever uses private images."""

    HIGHER = "higher"
    LOWER = "lower"


class Quantity(StrEnum):
    """Which stated threshold of a claim is about such a number."""

    AUC = "auc"  # of telling true pairs from false ones: 0.5 is guessing, 1 never wrong
    FIRST = "named first"  # share of searches whose first answer is right
    OTHER = "other"  # no threshold is stated for it


class Metric:
    """One kind of number; two of one name are equal.

    Args:
        name: As in JSON: ``auc (max)``, ``rank-1``.
        title: As on a page: ``AUC, best restart``; the name by default.
        meaning: What it says, in plain words; empty where nobody wrote any.
        unit: How it is written.
        goal: Which way is better for whoever is rated.
        quantity: Which threshold of a claim is about it.

    Example:
        >>> named("eer").goal, named("rank-1").unit
        (<Goal.LOWER: 'lower'>, <MetricUnit.SHARE: 'share'>)
    """

    __slots__ = ("goal", "meaning", "name", "quantity", "title", "unit")

    name: str
    title: str
    meaning: str
    unit: MetricUnit
    goal: Goal
    quantity: Quantity

    def __init__(
        self,
        name: str,
        title: str = "",
        meaning: str = "",
        *,
        unit: MetricUnit = MetricUnit.NUMBER,
        goal: Goal = Goal.HIGHER,
        quantity: Quantity = Quantity.OTHER,
    ) -> None:
        values = (name, title or name, meaning, unit, goal, quantity)
        for field, value in zip(
            ("name", "title", "meaning", "unit", "goal", "quantity"), values, strict=True
        ):
            object.__setattr__(self, field, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a metric is never changed")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Metric) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Metric({self.name!r})"

    def to_json_value(self) -> str:
        """Its name."""
        return self.name

    @classmethod
    def from_json_value(cls, value: object) -> Metric:
        """The metric of a name.

        Raises:
            TypeError: It is no text.
        """
        if not isinstance(value, str):
            raise TypeError(f"expected the name of a metric, got a {type(value).__name__}")
        return named(value)


def named(name: str) -> Metric:
    """The metric of a name; one without words, title and threshold where nobody defines it."""
    return _defined(plugins.names("metrics")).get(name) or Metric(name)


@lru_cache(maxsize=8)
def _defined(modules: tuple[str, ...]) -> dict[str, Metric]:
    """All metrics of these definitions, by name."""
    return {
        metric.name: metric
        for module in modules
        for metric in plugins.load("metrics", module).metrics
    }
