"""The page of a comparison: every method on the same images, attackers and seeds.

It is made from the comparison's JSON alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentdp.reports.answers import Answer, answers, refuting
from latentdp.reports.comparison_table import (
    COLUMNS,
    Cell,
    cells,
    labels_only,
    lessons,
    numbers,
    points,
    present,
)
from latentdp.reports.evaluation_page import MethodFacts, check_format, method_facts
from latentdp.reports.figures import Picture, attack_pictures, finding_picture
from latentdp.reports.glossary import GROUPS, is_labels_only
from latentdp.reports.html import complete, write_page
from latentdp.reports.pareto import pareto_chart
from latentdp.reports.rows import Measured, measure_row, outcome_row

__all__ = ["write_comparison_page"]

Row = Mapping[str, Any]


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
    cells: list[Cell]
    refuted: list[str]
    answers: list[Answer]
    outcomes: list[Measured]
    measures: list[Measured]
    pictures: list[Picture]
    seconds: str


def write_comparison_page(comparison: Row, path: Path) -> None:
    """Writes the page of a comparison.

    Args:
        comparison: As `latentdp compare` writes it.
        path: Of the page.

    Raises:
        InputError: The comparison is incomplete, damaged or of another version.
    """
    with complete("the comparison"):
        check_format(comparison, "comparison")
        entries = [_entry(comparison, i, row) for i, row in enumerate(comparison["rows"])]
        groups = [
            (title, [e for e, r in zip(entries, comparison["rows"], strict=True)
                     if r["group"] == group])
            for group, title in GROUPS.items()
        ]  # fmt: skip
        if sum(len(held) for _, held in groups) != len(entries):
            raise ValueError("expected the group of each method to be ours, rival or control")
        write_page(
            path,
            "comparison.html.j2",
            version=str(comparison["version"]),
            seed=comparison["seed"],
            quick=bool(comparison.get("quick")),
            cohorts=[_cohort(c) for c in comparison.get("cohorts") or ()],
            banners=[(e.name, line) for e in entries for line in e.refuted],
            groups=[(title, held) for title, held in groups if held],
            methods=len(entries),
            columns=[COLUMNS[key][0] for key in present(comparison)],
            picture=_picture(comparison),
            lessons=lessons(comparison),
            notes=[str(note) for note in comparison.get("notes") or ()],
        )


def _entry(comparison: Row, index: int, row: Row) -> MethodEntry:
    evaluation = {"verdict": {"refuted": False}, "utility": row.get("utility") or []} | dict(
        row["evaluation"]
    )
    measures = row.get("utility") or evaluation["utility"]
    evaluation["utility"] = measures
    evaluation["controls"] = [
        {"method": other["evaluation"]["method"], "utility": other.get("utility") or []}
        for other in comparison["rows"]
        if is_labels_only(other["name"]) and other is not row
    ]
    method = evaluation["method"]
    findings = finding_picture(f"m{index}", measures)
    seconds = row.get("seconds")
    numbers(comparison, row)  # a method without its numbers is an error, not an empty row
    return MethodEntry(
        name=row["name"],
        title=row["title"],
        facts=method_facts(method),
        cells=cells(comparison, row),
        refuted=refuting(evaluation),
        answers=answers(evaluation),
        outcomes=[outcome_row(o) for o in evaluation["outcomes"]],
        measures=[measure_row(m) for m in measures],
        pictures=[
            *attack_pictures(
                f"m{index}",
                evaluation["outcomes"],
                (),
                method.get("guarantee") if method["protects_all"] else None,
            ),
            *([findings] if findings else []),
        ],
        seconds="" if seconds is None else f"{seconds:,.0f} s",
    )


def _picture(comparison: Row) -> Picture | None:
    found = points(comparison)
    if not found:
        return None
    alone = labels_only(comparison)
    words = (
        "Re-identification against utility. "
        + "; ".join(f"{p.name}: {p.x:.3f} against {p.y:.3f}" for p in found)
        + ("" if alone is None else f"; labels alone reach {alone:.3f}")
    )
    caption = (
        "Left is private, up is useful; 95 % intervals over patients. The stepped line joins the "
        "methods that no other beats in both. Dotted: guessing."
    )
    if alone is not None:
        caption += " Dashed: what labels give without any image; at or below it, nothing is "
        caption += "shown to be kept of an image."
    return Picture(pareto_chart("pareto", found, labels_only=alone, words=words), caption)


def _cohort(cohort: Row) -> str:
    """A cohort as a sentence."""
    size = cohort.get("size")
    told = "" if size is None else f", {_size(size)} pixels"
    return (
        f"{cohort['name']}: {cohort['images']:,} images of {cohort['patients']:,} patients{told}; "
        f"{cohort['purpose']}"
    )


def _size(size: Any) -> str:
    return " x ".join(map(str, size)) if isinstance(size, (list, tuple)) else f"{size} x {size}"
