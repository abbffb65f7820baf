"""The page of a comparison: every method on the same images, attackers and seeds.

It is made from the comparison's JSON alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET, structs

from latentdp.reports.answers import Answer, answers, refuting
from latentdp.reports.comparison import ComparedMethod, ComparedPeople, Comparison
from latentdp.reports.comparison_table import (
    COLUMNS,
    CellText,
    cells,
    labels_only,
    lessons,
    points,
    present,
)
from latentdp.reports.evaluation_page import MethodFacts, method_facts
from latentdp.reports.evaluation_parts import Control
from latentdp.reports.figures import Picture, attack_pictures, finding_picture
from latentdp.reports.glossary import GROUPS, LABELS_ONLY
from latentdp.reports.html import write_page
from latentdp.reports.pareto import pareto_chart
from latentdp.reports.rows import Measured, measure_row, outcome_row

__all__ = ["write_comparison_page"]


@dataclass(frozen=True, kw_only=True)
class MethodEntry:
    """One method on the page.

    Attributes:
        name: By which it is called.
        title: What it is.
        facts: Name, source, claim and guarantee.
        cells: Its numbers, one a column.
        refuted: What refutes its claim, a line each.
        answers: To the questions of a steward.
        outcomes: Of every attack.
        measures: Of its utility.
        pictures: Charts.
        seconds: How long it took; empty if that is not told.
    """

    name: str
    title: str
    facts: MethodFacts
    cells: list[CellText]
    refuted: list[str]
    answers: list[Answer]
    outcomes: list[Measured]
    measures: list[Measured]
    pictures: list[Picture]
    seconds: str


def write_comparison_page(comparison: Comparison, path: Path) -> None:
    """Writes the page of a comparison.

    Args:
        comparison: As `latentdp compare` writes it, or read again with `Comparison.from_json`.
        path: Of the page.
    """
    entries = [(row.group, _entry(comparison, i)) for i, row in enumerate(comparison.rows)]
    groups = [
        (title, [entry for group, entry in entries if group == wanted])
        for wanted, title in GROUPS.items()
    ]
    write_page(
        path,
        "comparison.html.j2",
        version=comparison.version,
        seed=comparison.seed,
        quick=comparison.quick is True,
        cohorts=[_cohort(people) for people in comparison.cohorts],
        banners=[(entry.name, line) for _, entry in entries for line in entry.refuted],
        groups=[(title, held) for title, held in groups if held],
        methods=len(entries),
        columns=[COLUMNS[key][0] for key in present(comparison)],
        picture=_picture(comparison),
        lessons=lessons(comparison),
        notes=comparison.notes,
    )


def _entry(comparison: Comparison, index: int) -> MethodEntry:
    row = comparison.rows[index]
    measures, method = row.measures, row.evaluation.method
    evaluation = structs.replace(
        row.evaluation, utility=measures, controls=_labels_alone(comparison, row)
    )
    findings = finding_picture(f"m{index}", measures)
    return MethodEntry(
        name=row.name,
        title=row.title,
        facts=method_facts(method),
        cells=cells(comparison, row),
        refuted=refuting(evaluation),
        answers=answers(evaluation),
        outcomes=[outcome_row(o) for o in evaluation.outcomes],
        measures=[measure_row(m) for m in measures],
        pictures=[
            *attack_pictures(f"m{index}", evaluation.outcomes, (), method.bounds_attacks),
            *([findings] if findings else []),
        ],
        seconds="" if row.seconds is UNSET else f"{row.seconds:,.0f} s",
    )


def _labels_alone(comparison: Comparison, beside: ComparedMethod) -> tuple[Control, ...]:
    """The control that releases nothing but labels, for every other method."""
    return tuple(
        Control(method=row.evaluation.method, utility=row.utility)
        for row in comparison.rows
        if row.name == LABELS_ONLY and row is not beside
    )


def _picture(comparison: Comparison) -> Picture | None:
    methods = points(comparison)
    if not methods:
        return None
    alone = labels_only(comparison)
    words = (
        "Re-identification against utility. "
        + "; ".join(f"{p.name}: {p.x:.3f} against {p.y:.3f}" for p in methods)
        + ("" if alone is None else f"; labels alone reach {alone:.3f}")
    )
    caption = (
        "Left is private, up is useful; 95 % intervals over patients. The stepped line joins the "
        "methods that no other beats in both. Dotted: guessing."
    )
    if alone is not None:
        caption += " Dashed: what labels give without any image; at or below it, nothing is "
        caption += "shown to be kept of an image."
    return Picture(pareto_chart("pareto", methods, labels_only=alone, words=words), caption)


def _cohort(people: ComparedPeople) -> str:
    """People as a sentence."""
    size = people.size
    pixels = "" if size is UNSET else f", {_size(size)} pixels"
    return (
        f"{people.name}: {people.images:,} images of {people.patients:,} patients{pixels}; "
        f"{people.purpose}"
    )


def _size(size: int | tuple[int, ...]) -> str:
    return " x ".join(map(str, size)) if isinstance(size, tuple) else f"{size} x {size}"
