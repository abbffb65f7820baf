"""The summary numbers of a comparison: one row a method, one column a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from latentdp.metrics.definitions.identification import P_AT_1, RANK_1
from latentdp.metrics.definitions.likeness import SSIM
from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.metric import Metric
from latentdp.reports.comparison import Cell, ComparedMethod, Comparison
from latentdp.reports.formatting import interval, shown
from latentdp.reports.glossary import LABELS_ONLY
from latentdp.reports.pareto import Point, front

__all__ = [
    "COLUMNS",
    "LENT",
    "TAUGHT",
    "CellText",
    "cells",
    "labels_only",
    "lessons",
    "points",
    "present",
]

X, Y = "adaptive_max", "p/o"  # of the picture
TAUGHT = ("p/o", "p/p", "p/o, normal")  # columns of readers that learnt on what is released
LENT = "\N{DAGGER}"  # ... with the true findings, since the method releases no labels

COLUMNS: dict[str, tuple[str, Metric]] = {
    "against_anyone": ("Told from anyone, AUC", AUC),
    "against_alike": ("Told from those alike, AUC", AUC),
    "frozen": ("Frozen verifier, AUC", AUC),
    "adaptive_mean": ("Adaptive, mean, AUC", AUC),
    "adaptive_max": ("Adaptive, largest, AUC", AUC),
    "own_image_first": ("Own image named first", RANK_1),
    "white_box": ("White box, own image first", RANK_1),
    "p@1": ("Another image of theirs first", P_AT_1),
    "o/o": ("o/o, AUC", AUC),
    "o/p": ("o/p, AUC", AUC),
    "p/o": ("p/o, AUC", AUC),
    "p/p": ("p/p, AUC", AUC),
    "o/p, normal": ("o/p, normal or not, AUC", AUC),
    "p/o, normal": ("p/o, normal or not, AUC", AUC),
    "ssim": ("SSIM", SSIM),
}
"""Keys of the JSON's columns, with their titles and the metrics that say how they are written."""


@dataclass(frozen=True)
class CellText:
    """A number and its interval as text; both empty where it is missing."""

    value: str
    interval: str


def present(comparison: Comparison) -> list[str]:
    """Columns in which any method has a number."""
    return [
        key for key in COLUMNS if any(row.numbers.get(key) is not None for row in comparison.rows)
    ]


def cells(comparison: Comparison, row: ComparedMethod) -> list[CellText]:
    """A row's numbers in the columns that are `present`."""
    texts = []
    for key in present(comparison):
        number, metric = row.numbers.get(key), COLUMNS[key][1]
        if number is None:
            texts.append(CellText("", ""))
        else:
            lent = LENT if key in TAUGHT and number.learnt_with == "true findings" else ""
            texts.append(CellText(shown(number.value, metric) + lent, interval(number, metric)))
    return texts


def points(comparison: Comparison) -> list[Point]:
    """Methods that have a place in the picture."""
    places = []
    for row in comparison.rows:
        across, up = _limits(row.numbers.get(X)), _limits(row.numbers.get(Y))
        if across is not None and up is not None:
            places.append(
                Point(
                    name=row.name,
                    group=row.group,
                    x=across[0],
                    x_low=across[1],
                    x_high=across[2],
                    y=up[0],
                    y_low=up[1],
                    y_high=up[2],
                )
            )
    return places


def _limits(cell: Cell | None) -> tuple[float, float, float] | None:
    """Value, low and high; the value stands for a limit that is missing."""
    if cell is None or cell.value is None:
        return None
    value = cell.value
    return (
        value,
        value if cell.low is None else cell.low,
        value if cell.high is None else cell.high,
    )


def labels_only(comparison: Comparison) -> float | None:
    """Utility of labels without images."""
    for row in comparison.rows:
        if row.name == LABELS_ONLY:
            cell = row.numbers.get(Y)
            return None if cell is None else cell.value
    return None


def lessons(comparison: Comparison) -> list[str]:
    """What the numbers say, in sentences that follow from them alone."""
    methods_and_controls = points(comparison)
    methods = [p for p in methods_and_controls if p.group != "control"]
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
        (row.name, _limits(row.numbers.get("adaptive_mean")))
        for row in comparison.rows
        if row.group != "control"
    ]
    at_chance = [name for name, limits in averages if limits and limits[1] <= 0.5]
    if at_chance:
        lines.append(
            "Not told from guessing by the mean of the adaptive attackers: "
            f"{', '.join(at_chance)}. (The largest of them lies above 0.5 by itself.)"
        )
    return lines


def _names(chosen: Sequence[Point]) -> str:
    return ", ".join(p.name for p in chosen)
