"""The three questions of a steward, answered from an evaluation's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import UNSET

from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.metric import Quantity
from latentdp.reports.allowed import allowed
from latentdp.reports.enough_patients import (
    needed_in_words,
    patients_needed,
    patients_needed_for_use,
    undecided,
)
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_parts import Control
from latentdp.reports.glossary import LABELS_ONLY
from latentdp.reports.recognition import judge
from latentdp.reports.results import Measure, Outcome
from latentdp.reports.rows import Measured, measure_row, outcome_row

__all__ = ["Answer", "ApartRow", "answers", "mean_auc", "refuting", "telling_apart"]


TOO_FEW = "Too few patients to say"
WORTH = 0.9  # share of what originals teach beyond guessing from which on images are useful
SOME = 0.05  # least AUC beyond guessing that is worth looking for


@dataclass(frozen=True)
class Answer:
    """A question and its topic in a word, a short answer, the level it is shown in, and why."""

    topic: str
    question: str
    short: str
    level: str
    why: str


@dataclass(frozen=True)
class ApartRow:
    """From whom patients are told, how well, and by what attack, all text."""

    whom: str
    auc: str
    by: str


def telling_apart(evaluation: Evaluation) -> list[ApartRow]:
    """How well the strongest attackers tell patients from anyone, and from those alike."""
    recognition = judge(evaluation.outcomes, evaluation.limits)
    rows = []
    for whom, outcome in (
        (recognition.against_anyone.capitalize(), recognition.anyone),
        ("Against impostors of the same source, view and sex", recognition.alike),
    ):
        if outcome is None:
            rows.append(ApartRow(whom, "not measured", ""))
            continue
        row = outcome_row(outcome)
        by = f"{row.name}, {row.setting}"
        if undecided(outcome, evaluation.limits):
            by += f"; {_too_few(evaluation, outcome)}"
        rows.append(ApartRow(whom, f"AUC {row.both}", by))
    return rows


def answers(evaluation: Evaluation) -> list[Answer]:
    """Can patients be found? Are the images useful? Was a claim refuted?"""
    return [_found(evaluation), _useful(evaluation), _refuted(evaluation)]


def refuting(evaluation: Evaluation) -> list[str]:
    """What refutes a claim, a line each; empty if nothing does."""
    lines = [
        f"{row.name}, {row.setting}: {row.metric} {row.both}, and the claim allows at most "
        f"{row.ceiling}"
        for row in (outcome_row(o) for o in evaluation.outcomes if o.refutes)
    ]
    if evaluation.verdict.refuted and not lines:
        lines.append("the verdict of this evaluation says so")
    return lines


def mean_auc(measures: Sequence[Measure], setting: str) -> Measure | None:
    """The AUC of a setting over all findings, or that of its first finding."""
    rows = [
        m for m in measures if m.metric == AUC and m.setting == setting and not m.of_a_subgroup
    ]
    over_all = [m for m in rows if m.subject in ("mean", "all")]
    return next(iter(over_all or rows), None)


def _found(evaluation: Evaluation) -> Answer:
    question = "found", "Can patients still be found?"
    recognition = judge(evaluation.outcomes, evaluation.limits)
    best, unrated = recognition.strongest, ", ".join(recognition.unrated)
    if best is None and not unrated:
        return Answer(*question, "Not measured", "caution", "No attack on identity was made.")
    why = "No attack can be rated."
    if best is not None:
        row = outcome_row(best)
        why = f"Strongest attack, measured: {_reach(row)}; guessing gives {row.chance}"
        bound = allowed(evaluation, best)
        why += f"; {bound}." if bound else "."
    if unrated:
        why += f" How much {unrated} found cannot be told."
    if best is None or recognition.at_chance:
        if unrated:
            return Answer(*question, "Not known", "danger", why)
        open_ = [
            o
            for o in (recognition.verification, recognition.first)
            if o is not None and undecided(o, evaluation.limits)
        ]
        if open_:
            why = " ".join([why, *(f"{_too_few(evaluation, o).capitalize()}." for o in open_)])
            return Answer(*question, TOO_FEW, "caution", why)
        why += " Other attackers may do better: what bounds them is a guarantee alone."
        level = "fine" if recognition.within else "caution"
        if recognition.verification is None:
            why += " Whether two images are of one patient was not tried: see what could not run."
        return Answer(*question, "Not by these attacks", level, why)
    if recognition.within:  # below the stated thresholds
        return Answer(*question, "Hardly", "caution", why)
    some = (best.advantage or 0.0) < 0.4
    return Answer(*question, "Yes, some" if some else "Yes", "danger", why)


def _useful(evaluation: Evaluation) -> Answer:
    question = "useful", "Are the images still useful?"
    private = mean_auc(evaluation.utility, "p/o")
    if private is None or private.value is None:
        return Answer(*question, "Not measured", "caution", f"{_why_not_useful(evaluation)}.")
    row = measure_row(private)
    why = f"A classifier that learnt on private images reaches {_auc(row)} on originals"
    original = mean_auc(evaluation.utility, "o/o")
    if original is not None:
        why += f"; one that learnt on originals reaches {_auc(measure_row(original))}"
    wanted = 0.5 + WORTH * ((0.5 if original is None else original.value or 0.5) - 0.5)
    needed = patients_needed_for_use(private, max(wanted, 0.5 + SOME))
    if needed != 0:
        why += (
            f". From {row.patients} patients who were tested that says little: "
            f"{needed_in_words(needed)}"
        )
        return Answer(*question, TOO_FEW, "caution", f"{why}.")
    labels = _labels_only(() if evaluation.controls is UNSET else evaluation.controls)
    if labels is not None:
        why += f"; labels alone give {_auc(measure_row(labels))}"
        if private.low is not None and labels.value is not None and private.low <= labels.value:
            short = "No more than labels alone"
            return Answer(*question, short, "danger", f"{why}. What the images add is not shown.")
    share = _share(private.value, None if original is None else original.value)
    if share is None:
        return Answer(*question, row.value, "caution", f"{why}.")
    short = "Yes" if share >= WORTH else "Partly" if share >= 0.5 else "Hardly"
    level = {"Yes": "fine", "Partly": "caution"}.get(short, "danger")
    return Answer(
        *question,
        short,
        level,
        f"{why}. That is {100 * share:.0f} % of it beyond guessing.",
    )


def _refuted(evaluation: Evaluation) -> Answer:
    question = "refuted", "Was a claim refuted?"
    lines = refuting(evaluation)
    if lines:
        return Answer(*question, "YES", "danger", f"{lines[0][0].upper()}{lines[0][1:]}.")
    failed = [claim for claim in evaluation.verdict.claims if not claim.holds]
    bounded = [o for o in evaluation.outcomes if o.ceiling is not None]
    tested = "No result has a ceiling: nothing is claimed for all that is released."
    if bounded:
        tested = f"None of {len(bounded)} results with a ceiling lies above it."
    if len(bounded) == 1:
        tested = "The one result with a ceiling does not lie above it."
    recognition = judge(evaluation.outcomes, evaluation.limits)
    if failed and any(
        undecided(o, evaluation.limits) for o in (recognition.verification, recognition.first)
    ):
        why = f"{tested} Whether the stated thresholds are kept cannot be said of so few patients."
        return Answer(*question, "No", "caution", why)
    if failed:
        count = len(failed)
        why = f"{count} stated threshold{'' if count == 1 else 's'} not met, see below. {tested}"
        return Answer(*question, "No, but a threshold was missed", "caution", why)
    if not bounded:
        return Answer(*question, "Nothing to refute", "caution", tested)
    return Answer(*question, "No", "fine", f"{tested} No experiment can prove a claim.")


def _too_few(evaluation: Evaluation, outcome: Outcome) -> str:
    """Whom a number rests on, and how many are needed: part of a sentence."""
    needed = needed_in_words(patients_needed(outcome, evaluation.limits))
    what, who = "telling patients apart", " with several images"
    if outcome.metric.quantity is Quantity.FIRST:
        what, who = "saying how often the own original is named first", ""
    return f"too few patients for {what}: {outcome.patients:,}{who}, and {needed}"


def _why_not_useful(evaluation: Evaluation) -> str:
    """Why no classifier was taught."""
    unable = () if evaluation.unable is UNSET else evaluation.unable
    why = next((one.why for one in unable if one.name == "classification"), "")
    return f"{why[0].upper()}{why[1:]}" if why else "No classifier was trained on them"


def _labels_only(controls: Sequence[Control]) -> Measure | None:
    for control in controls:
        if control.method.name == LABELS_ONLY:
            return mean_auc(control.utility, "p/o")
    return None


def _share(private: float, original: float | None) -> float | None:
    """How much of what originals teach beyond guessing private images teach."""
    if original is None or original <= 0.5:
        return None
    return max(0.0, (private - 0.5) / (original - 0.5))


def _reach(row: Measured) -> str:
    return f"{row.name} ({row.setting}): {row.metric} {row.both}"


def _auc(row: Measured) -> str:
    return f"AUC {row.both}"
