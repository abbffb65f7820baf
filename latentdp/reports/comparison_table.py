"""The summary numbers of a comparison: one row a method, one column a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from latentdp.reports.formatting import drawable, interval, shown
from latentdp.reports.glossary import is_labels_only
from latentdp.reports.pareto import Point, front

__all__ = [
    "COLUMNS",
    "LENT",
    "TAUGHT",
    "Cell",
    "cells",
    "labels_only",
    "lessons",
    "numbers",
    "points",
    "present",
]

Row = Mapping[str, Any]

X, Y = "adaptive_max", "p/o"  # of the picture
TAUGHT = ("p/o", "p/p", "p/o, normal")  # columns of readers that learnt on what is released
LENT = "\N{DAGGER}"  # ... with the true findings, since the method releases no labels

COLUMNS: dict[str, tuple[str, str]] = {
    "frozen": ("Frozen verifier, AUC", "auc"),
    "adaptive_mean": ("Adaptive, mean, AUC", "auc"),
    "adaptive_max": ("Adaptive, largest, AUC", "auc"),
    "own_image_first": ("Own image named first", "rank-1"),
    "white_box": ("White box, own image first", "rank-1"),
    "p@1": ("Another image of theirs first", "p@1"),
    "o/o": ("o/o, AUC", "auc"),
    "o/p": ("o/p, AUC", "auc"),
    "p/o": ("p/o, AUC", "auc"),
    "p/p": ("p/p, AUC", "auc"),
    "o/p, normal": ("o/p, normal or not, AUC", "auc"),
    "p/o, normal": ("p/o, normal or not, AUC", "auc"),
    "ssim": ("SSIM", "ssim"),
}
"""Keys of the JSON's columns, with their titles and the metrics that say how they are written."""


@dataclass(frozen=True)
class Cell:
    """A number and its interval as text; both empty where it is missing."""

    value: str
    interval: str


def numbers(comparison: Row, row: Row) -> Row:
    """The summary numbers of a row: beside it, or in the comparison's ``columns`` by its name."""
    own = row.get("columns")
    found = comparison["columns"][row["name"]] if own is None else own
    if not isinstance(found, Mapping):
        raise TypeError("expected the numbers of a method by their columns")
    return found


def present(comparison: Row) -> list[str]:
    """Columns in which any method has a number."""
    rows = [numbers(comparison, row) for row in comparison["rows"]]
    return [key for key in COLUMNS if any(row.get(key) is not None for row in rows)]


def cells(comparison: Row, row: Row) -> list[Cell]:
    """A row's numbers in the columns that are `present`."""
    found = numbers(comparison, row)
    made = []
    for key in present(comparison):
        number, metric = found.get(key), COLUMNS[key][1]
        if number is None:
            made.append(Cell("", ""))
        else:
            lent = LENT if key in TAUGHT and number.get("learnt_with") == "true findings" else ""
            made.append(Cell(shown(number["value"], metric) + lent, interval(number, metric)))
    return made


def points(comparison: Row) -> list[Point]:
    """Methods that have a place in the picture."""
    found = []
    for row in comparison["rows"]:
        values = numbers(comparison, row)
        across, up = _limits(values.get(X)), _limits(values.get(Y))
        if across is not None and up is not None:
            found.append(
                Point(
                    name=row["name"],
                    group=row["group"],
                    x=across[0],
                    x_low=across[1],
                    x_high=across[2],
                    y=up[0],
                    y_low=up[1],
                    y_high=up[2],
                )
            )
    return found


def _limits(given: Row | None) -> tuple[float, float, float] | None:
    """Value, low and high; the value stands for a limit that is missing."""
    value = None if given is None else drawable(given["value"])
    if given is None or value is None:
        return None
    low, high = drawable(given.get("low")), drawable(given.get("high"))
    return value, value if low is None else low, value if high is None else high


def labels_only(comparison: Row) -> float | None:
    """Utility of labels without images."""
    for row in comparison["rows"]:
        if is_labels_only(row["name"]):
            number = numbers(comparison, row).get(Y)
            return None if number is None else drawable(number["value"])
    return None


def lessons(comparison: Row) -> list[str]:
    """What the numbers say, in sentences that follow from them alone."""
    found = points(comparison)
    methods = [p for p in found if p.group != "control"]
    if not methods:
        return []
    lines = [f"No method beats these in both numbers: {_names(front(methods))}."]
    for own in (p for p in methods if p.group == "ours"):
        rivals = [p for p in methods if p.group == "rival"]
        better = [p for p in rivals if p.beats(own)]
        if better:
            lines.append(
                f"{own.name} is beaten in both numbers by {_names(better)} (which may claim less)."
            )
    alone = labels_only(comparison)
    if alone is not None:
        nothing = [p for p in methods if p.y_low <= alone]
        if nothing:
            lines.append(
                f"Not shown to be more useful than labels alone ({alone:.3f}): {_names(nothing)}."
            )
    # By the mean of the restarts: the largest of ten guesses lies above a half by itself.
    averages = [
        (row, _limits(numbers(comparison, row).get("adaptive_mean")))
        for row in comparison["rows"]
        if row["group"] != "control"
    ]
    at_chance = [row["name"] for row, limits in averages if limits and limits[1] <= 0.5]
    if at_chance:
        lines.append(
            "Not told from guessing by the mean of the adaptive attackers: "
            f"{', '.join(at_chance)}. (The largest of them lies above 0.5 by itself.)"
        )
    return lines


def _names(chosen: Sequence[Point]) -> str:
    return ", ".join(p.name for p in chosen)
