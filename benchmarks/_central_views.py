"""What stands in the documents of `central.py` beside its rows: targets, and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from _results import Interval, Result, Value, markdown

from latentdp.core.filesystem import write_text
from latentdp.reports.budget_chart import Line, Panel, budget_chart

__all__ = ["picture", "targets"]

METHOD, READER, ORIGINALS = "gaussian", "cnn", "originals"
# Patients and epsilon: normal or not, and the mean of findings, as hoped for beforehand.
TARGETS = {
    (3_297, 1.0): (0.93, 0.90),
    (3_297, 2.0): (0.945, 0.925),
    (3_297, 8.0): (0.95, 0.935),
    (1_000, 1.0): (0.90, 0.85),
    (1_000, 2.0): (0.92, 0.89),
    (1_000, 8.0): (0.94, 0.92),
    (300, 2.0): (0.87, 0.80),
    (300, 8.0): (0.91, 0.87),
}
HEADS = (
    "patients",
    "epsilon",
    "seeds",
    "normal or not, target",
    "a network",
    "",
    "a linear reader",
    "mean of findings, target",
    "a network",
    "",
    "a linear reader",
)

Row = Mapping[str, Value]


def targets(results: Sequence[Result]) -> str:
    """Each target beside what readers reached that learnt on the set, means over seeds.

    The verdict after a network's figure is on that; *near* is within its interval.
    """
    rows = results[0].rows
    lines = []
    for (patients, epsilon), hoped in TARGETS.items():
        cells = [f"{patients:,}", f"{epsilon:g}", str(len(_of(rows, patients, epsilon, READER)))]
        for measure, target in zip(("normal", "findings"), hoped, strict=True):
            cells.append(f"{target:.3f}".lstrip("0"))
            network, linear = (
                _mean(_of(rows, patients, epsilon, reader), measure)
                for reader in (READER, "linear")
            )
            cells += [_told(network), _verdict(network, target), _told(linear)]
        lines.append(cells)
    return markdown(HEADS, lines)


def picture(rows: Sequence[Row], path: Path) -> None:
    """AUC of normal over epsilon, a panel for each size of the cohort, of the first seed."""
    rows = [row for row in rows if row["seed"] == 0]
    budgets = sorted({_number(row["epsilon"]) for row in rows if row["epsilon"] is not None})
    sizes = sorted({_number(row["patients"]) for row in rows})
    panels = [Panel(title=f"{n:,} patients", lines=_lines(rows, n, budgets)) for n in sizes]
    words = "AUC of readers over epsilon, for several sizes of the cohort"
    chart = budget_chart(
        "central", panels, across="epsilon of a patient, replace-one", words=words
    )
    write_text(path, f"{chart}\n")


def _lines(rows: Sequence[Row], patients: float, budgets: Sequence[float]) -> list[Line]:
    points: dict[str, list[tuple[float, float]]] = {}
    controls = set()
    for row in rows:
        if row["patients"] != patients or not isinstance(row["normal"], Interval):
            continue
        name, value = f"{row['method']}, {row['reader']}", row["normal"].value
        if row["epsilon"] is None:
            controls.add(name)
            points[name] = [(epsilon, value) for epsilon in (budgets[0], budgets[-1])]
        else:
            points.setdefault(name, []).append((_number(row["epsilon"]), value))
    return [Line(name=n, points=sorted(p), dashed=n in controls) for n, p in points.items()]


def _of(rows: Sequence[Row], patients: int, epsilon: float, reader: str) -> list[Row]:
    wanted = (METHOD, patients, epsilon, reader)
    keys = ("method", "patients", "epsilon", "reader")
    return [row for row in rows if tuple(row[key] for key in keys) == wanted]


def _mean(rows: Sequence[Row], measure: str) -> Interval | None:
    """The mean over seeds, and that of the ends of their intervals; None if none was measured."""
    found = [row[measure] for row in rows if isinstance(row[measure], Interval)]
    if not found:
        return None
    value, low, high = (
        fmean(getattr(one, end) for one in found) for end in ("value", "low", "high")
    )
    return Interval(value=value, low=low, high=high)


def _told(mean: Interval | None) -> str:
    return "-" if mean is None else f"{mean:.3f| to }".replace("0.", ".")


def _verdict(mean: Interval | None, target: float) -> str:
    """Whether a target was reached; *near* where it lies within the interval."""
    if mean is None:
        return "-"
    if mean.value >= target:
        return "reached"
    return "missed, near" if mean.high >= target else "missed"


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value
