"""The page of a comparison of where the noise of a private training goes in, and its table.

It is made from the comparison's JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from latentdp.privacy.rounding import printed
from latentdp.reports.budget_chart import Line, Panel, budget_chart
from latentdp.reports.comparison import Cell
from latentdp.reports.figures import Picture
from latentdp.reports.html import write_page
from latentdp.reports.private_comparison import PrivateComparison, PrivateRow

__all__ = ["HEADS", "cells", "write_private_page"]

HEADS = (
    "noise in", "method", "patients", "epsilon", "add-remove", "AUC", "AUC lost", "accuracy",
    "MCC", "members told", "at 1 %",
)  # fmt: skip
FREE = "none"  # the point of what has no noise
POINTS = {
    "input": "each image and label by itself, before anybody learns",
    "objective": "the function whose minimum is learnt",
    "gradient": "each step of learning",
    "output": "the weights that were learnt",
    "prediction": "answers of teachers who vote, of which a student learns",
    "statistics": "sums over patients, from which the classifier follows",
}


def write_private_page(comparison: PrivateComparison, path: Path) -> None:
    """Writes the page.

    Args:
        comparison: All rows.
        path: Of the page.
    """
    told = {row.point for row in comparison.rows}
    methods = {row.method: row for row in comparison.rows}
    write_page(
        path,
        "private.html.j2",
        comparison=comparison,
        heads=HEADS,
        rows=[cells(row, comparison.rows) for row in comparison.rows],
        pictures=_pictures(comparison),
        points=[(point, words) for point, words in POINTS.items() if point in told],
        methods=list(methods.values()),
        refused=list(dict.fromkeys(row.refused for row in comparison.rows if row.refused)),
    )


def cells(row: PrivateRow, rows: Sequence[PrivateRow]) -> tuple[str, ...]:
    """The texts of a row of the table, as `HEADS` names them.

    Args:
        row: That is shown.
        rows: All of the comparison, of which those without noise say what was lost.
    """
    known = (
        row.point,
        row.method,
        f"{row.patients:,}",
        "infinite" if row.epsilon is None else f"{row.epsilon:g}",
        "-" if row.add_remove is None else printed(row.add_remove),
    )
    if row.refused:
        return (*known, "refused", *["-"] * (len(HEADS) - len(known) - 1))
    lost = _lost(row, _without_noise(rows))
    return (
        *known,
        _number(row.auc),
        "-" if lost is None else _short(lost),
        _number(row.accuracy),
        _number(row.matthews),
        _number(row.members),
        "-" if row.revealed is None else _short(row.revealed),
    )


def _without_noise(rows: Sequence[PrivateRow]) -> dict[int, float]:
    """AUC of what has no noise, by size of the cohort."""
    return {
        row.patients: row.auc.value
        for row in rows
        if row.point == FREE and row.auc is not None and row.auc.value is not None
    }


def _lost(row: PrivateRow, free: Mapping[int, float]) -> float | None:
    if row.point == FREE or row.auc is None or row.auc.value is None:
        return None
    return free[row.patients] - row.auc.value if row.patients in free else None


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)


def _number(cell: Cell | None) -> str:
    if cell is None or cell.value is None or cell.low is None or cell.high is None:
        return "-"
    return f"{_short(cell.value)} ({_short(cell.low)} to {_short(cell.high)})"


def _pictures(comparison: PrivateComparison) -> list[Picture]:
    """AUC over epsilon, a panel for each place of noise; a picture for each size of the cohort."""
    pictures = []
    free = _without_noise(comparison.rows)
    for patients in dict.fromkeys(row.patients for row in comparison.rows):
        own = [row for row in comparison.rows if row.patients == patients]
        panels = list(_panels(own, free.get(patients)))
        if panels:
            chart = budget_chart(
                f"n{patients}",
                panels,
                across="epsilon of a patient, replace-one",
                up=f"AUC, {comparison.finding} or not",
                words=_words(panels),
            )
            caption = (
                f"A cohort of {patients:,} patients: AUC on originals of other patients, means of "
                "seeds; dotted: learnt without noise."
            )
            pictures.append(Picture(chart, caption))
    return pictures


def _panels(rows: Sequence[PrivateRow], free: float | None) -> Iterator[Panel]:
    for point in POINTS:
        lines = _lines([row for row in rows if row.point == point])
        if lines:
            yield Panel(title=f"noise in the {point}", lines=[*lines, *_level(lines, free)])


def _lines(rows: Sequence[PrivateRow]) -> list[Line]:
    points: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row.epsilon is not None and row.auc is not None and row.auc.value is not None:
            points.setdefault(row.method, []).append((row.epsilon, row.auc.value))
    return [Line(name=name, points=sorted(p)) for name, p in points.items()]


def _level(lines: Sequence[Line], value: float | None) -> list[Line]:
    """What is reached without noise, at any budget."""
    if value is None:
        return []
    across = [x for line in lines for x, _ in line.points]
    ends = (min(across), max(across))
    return [Line(name="no noise", points=[(x, value) for x in ends], dashed=True)]


def _words(panels: Sequence[Panel]) -> str:
    return "; ".join(
        f"{panel.title}, {line.name}: " + ", ".join(f"{y:.3f} at {x:g}" for x, y in line.points)
        for panel in panels
        for line in panel.lines
    )
