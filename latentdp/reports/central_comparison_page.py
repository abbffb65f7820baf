"""The page of a comparison of ways to a synthetic cohort, and its table.

It is made from the comparison's JSON and a few images of each set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.privacy.rounding import printed
from latentdp.reports.budget_chart import Line, Panel, budget_chart
from latentdp.reports.central_comparison import CentralComparison, CentralRow
from latentdp.reports.comparison import Cell
from latentdp.reports.figures import Picture
from latentdp.reports.html import data_uri, write_page

__all__ = ["HEADS", "cells", "write_central_page"]

HEADS = (
    "method", "patients", "epsilon", "add-remove", "reader", "normal or not", "mean of findings",
    "the head itself",
)  # fmt: skip
Shown = tuple[CentralRow, NDArray[np.float32]]


def write_central_page(comparison: CentralComparison, sets: Sequence[Shown], path: Path) -> None:
    """Writes the page.

    Args:
        comparison: All rows.
        sets: A row of each set, with a few of its images ``(k, h, w)`` in [0, 1].
        path: Of the page.
    """
    methods = {row.method: row for row in comparison.rows}
    write_page(
        path,
        "central.html.j2",
        comparison=comparison,
        heads=HEADS,
        rows=[cells(row) for row in comparison.rows],
        pictures=_pictures(comparison.rows),
        methods=list(methods.values()),
        sets=[
            (_caption(row), data_uri(np.concatenate(list(images), axis=1), reduced=False))
            for row, images in _best(sets)
        ],
    )


def cells(row: CentralRow) -> tuple[str, ...]:
    """The texts of a row of the table, as `HEADS` names them."""
    return (
        row.method,
        f"{row.patients:,}",
        "infinite" if row.epsilon is None else f"{row.epsilon:g}",
        "-" if row.add_remove is None else printed(row.add_remove),
        row.reader,
        _number(row.normal),
        _number(row.findings),
        "-" if row.head is None else f"{row.head:.3f}".lstrip("0"),
    )


def _number(cell: Cell | None) -> str:
    if cell is None or cell.value is None:
        return "-"
    value, low, high = (f"{x:.3f}".removeprefix("0") for x in (cell.value, cell.low, cell.high))
    return f"{value} ({low} to {high})"


def _pictures(rows: Sequence[CentralRow]) -> list[Picture]:
    """AUC of the first reader over epsilon, a panel for each size; and over the size."""
    told = [r for r in rows if r.reader == rows[0].reader and r.seed == 0 and r.normal is not None]
    protected = [row for row in told if row.epsilon is not None]
    if not protected:
        return []
    sizes = sorted({row.patients for row in protected})
    budgets = sorted({row.epsilon for row in protected if row.epsilon is not None})
    ends = (budgets[0], budgets[-1])
    by_budget = [
        Panel(title=f"{n:,} patients", lines=[
            *_lines([r for r in protected if r.patients == n], lambda r: r.epsilon or 0.0),
            *_level([r for r in told if r.patients == n and r.epsilon is None], ends),
        ])
        for n in sizes
    ]  # fmt: skip
    by_size = [
        Panel(title=f"epsilon {e:g}", lines=[
            *_lines([r for r in protected if r.epsilon == e], lambda r: r.patients),
            *_lines([r for r in told if r.epsilon is None], lambda r: r.patients, dashed=True),
        ])
        for e in budgets
    ]  # fmt: skip
    caption = (
        f"AUC of a reader ({rows[0].reader}) that learnt on the set and reads originals of other "
        "patients; dotted: it learnt on the cohort's originals."
    )
    pictures = [("epsilon", "epsilon of a patient, replace-one", by_budget)]
    if len(sizes) > 1:
        pictures.append(("size", "patients in the cohort", by_size))
    return [
        Picture(budget_chart(key, panels, across=across, words=_words(panels)), caption)
        for key, across, panels in pictures
    ]


def _lines(
    rows: Iterable[CentralRow], across: Callable[[CentralRow], float], *, dashed: bool = False
) -> list[Line]:
    points: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row.normal is not None and row.normal.value is not None:
            points.setdefault(row.method, []).append((across(row), row.normal.value))
    return [Line(name=n, points=sorted(p), dashed=dashed) for n, p in points.items()]


def _level(rows: Iterable[CentralRow], ends: tuple[float, float]) -> list[Line]:
    """What originals reach, at any budget."""
    lines = _lines(rows, lambda row: 0.0, dashed=True)
    return [
        Line(name=line.name, points=[(x, line.points[0][1]) for x in ends], dashed=True)
        for line in lines
    ]


def _words(panels: Sequence[Panel]) -> str:
    return "; ".join(
        f"{panel.title}, {line.name}: " + ", ".join(f"{y:.3f} at {x:g}" for x, y in line.points)
        for panel in panels
        for line in panel.lines
    )


def _best(sets: Sequence[Shown]) -> list[Shown]:
    """Of each method the set of most patients and the largest budget."""
    ordered = sorted(sets, key=lambda s: (s[0].method, s[0].patients, s[0].epsilon or 0.0))
    last = {name: list(own)[-1] for name, own in groupby(ordered, lambda s: s[0].method)}
    names = dict.fromkeys(row.method for row, _ in sets)
    return [last[name] for name in names]


def _caption(row: CentralRow) -> str:
    budget = "unprotected" if row.epsilon is None else f"epsilon {row.epsilon:g}"
    return f"{row.method}, {row.patients:,} patients, {budget}"
