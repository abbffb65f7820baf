"""The three questions of a steward, answered from an evaluation's numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from latentdp.reports.formatting import advantage, drawable, reaches_chance, strongest
from latentdp.reports.glossary import is_labels_only
from latentdp.reports.rows import Measured, is_subgroup, measure_row, outcome_row

__all__ = ["Answer", "answers", "mean_auc", "refuting"]

Row = Mapping[str, Any]
NOT_ABOUT_WHO = re.compile("attribute|member|reconstruct")  # attacks that find no patient


@dataclass(frozen=True)
class Answer:
    """A question and its topic in a word, a short answer, the level it is shown in, and why."""

    topic: str
    question: str
    short: str
    level: str
    why: str


def answers(evaluation: Row) -> list[Answer]:
    """Can patients be found? Are the images useful? Was a claim refuted?"""
    return [_found(evaluation), _useful(evaluation), _refuted(evaluation)]


def refuting(evaluation: Row) -> list[str]:
    """What refutes a claim, a line each; empty if nothing does."""
    lines = [
        f"{row.name}, {row.setting}: {row.metric} {row.both}, and the claim allows at most "
        f"{row.ceiling}"
        for row in map(outcome_row, evaluation["outcomes"])
        if row.word == "refuted"
    ]
    if evaluation["verdict"]["refuted"] and not lines:
        lines.append("the verdict of this evaluation says so")
    return lines


def mean_auc(measures: Sequence[Row], setting: str) -> Row | None:
    """The AUC of a setting over all findings, or that of its first finding."""
    rows = [
        row
        for row in measures
        if row["metric"] == "auc" and row["setting"] == setting and not is_subgroup(row)
    ]
    over_all = [row for row in rows if row["subject"] in ("mean", "all")]
    return next(iter(over_all or rows), None)


def _found(evaluation: Row) -> Answer:
    question = "found", "Can patients still be found?"
    about = [o for o in evaluation["outcomes"] if not NOT_ABOUT_WHO.search(o["attack"].lower())]
    best = strongest([o for o in about if o["headline"]]) or strongest(about)
    if best is None:
        return Answer(*question, "Not measured", "caution", "No attack on identity was made.")
    row = outcome_row(best)
    why = f"Strongest attack, {_reach(row)}; guessing gives {row.chance}."
    if reaches_chance(best) and not best["refutes"]:
        return Answer(
            *question,
            "Not by these attacks",
            "fine",
            f"{why} Other attackers may do better: what bounds them is a guarantee alone.",
        )
    if all(claim.get("within") for claim in evaluation["verdict"].get("claims") or [{}]):
        return Answer(*question, "Hardly", "caution", why)  # below the stated thresholds
    some = (advantage(best) or 0.0) < 0.4
    return Answer(*question, "Yes, some" if some else "Yes", "danger", why)


def _useful(evaluation: Row) -> Answer:
    question = "useful", "Are the images still useful?"
    private = mean_auc(evaluation["utility"], "p/o")
    if private is None or drawable(private["value"]) is None:
        return Answer(*question, "Not measured", "caution", "No classifier was trained on them.")
    row = measure_row(private)
    why = f"A classifier that learnt on private images reaches {_auc(row)} on originals"
    original = mean_auc(evaluation["utility"], "o/o")
    if original is not None:
        why += f"; one that learnt on originals reaches {_auc(measure_row(original))}"
    labels = _labels_only(evaluation)
    if labels is not None:
        why += f"; labels alone give {_auc(measure_row(labels))}"
        low, alone = drawable(private["low"]), drawable(labels["value"])
        if low is not None and alone is not None and low <= alone:
            short = "No more than labels alone"
            return Answer(*question, short, "danger", f"{why}. What the images add is not shown.")
    share = _share(private, original)
    if share is None:
        return Answer(*question, row.value, "caution", f"{why}.")
    short = "Yes" if share >= 0.9 else "Partly" if share >= 0.5 else "Hardly"
    level = {"Yes": "fine", "Partly": "caution"}.get(short, "danger")
    return Answer(
        *question,
        short,
        level,
        f"{why}. That is {100 * share:.0f} % of it beyond guessing.",
    )


def _refuted(evaluation: Row) -> Answer:
    question = "refuted", "Was a claim refuted?"
    lines = refuting(evaluation)
    if lines:
        return Answer(*question, "YES", "danger", f"{lines[0][0].upper()}{lines[0][1:]}.")
    failed = [c for c in evaluation["verdict"].get("claims") or () if not c["holds"]]
    bounded = [o for o in evaluation["outcomes"] if o["ceiling"] is not None]
    tested = (
        f"None of {len(bounded)} results with a ceiling lies above it."
        if bounded
        else "No result has a ceiling: nothing is claimed for all that is released."
    )
    if failed:
        count = len(failed)
        why = f"{count} stated threshold{'' if count == 1 else 's'} not met, see below. {tested}"
        return Answer(*question, "No, but a threshold was missed", "caution", why)
    if not bounded:
        return Answer(*question, "Nothing to refute", "caution", tested)
    return Answer(*question, "No", "fine", f"{tested} No experiment can prove a claim.")


def _labels_only(evaluation: Row) -> Row | None:
    for control in evaluation.get("controls") or ():
        if is_labels_only(control["method"]["name"]):
            return mean_auc(control.get("utility") or (), "p/o")
    return None


def _share(private: Row, original: Row | None) -> float | None:
    value, whole = drawable(private["value"]), original and drawable(original["value"])
    if value is None or not whole or whole <= 0.5:
        return None
    return max(0.0, (value - 0.5) / (whole - 0.5))


def _reach(row: Measured) -> str:
    value = f"{row.value} ({row.interval})" if row.interval else row.value
    return f"{row.name} ({row.setting}): {row.metric} {value}"


def _auc(row: Measured) -> str:
    return f"AUC {row.both}"
