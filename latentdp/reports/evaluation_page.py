"""The page of an evaluation: can patients still be found, and are the images worth releasing?

It is made from the evaluation's JSON alone, so anybody can make it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET, Struct, structs

from latentdp.reports.answers import answers, refuting, telling_apart
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_parts import MethodDescription
from latentdp.reports.figures import attack_pictures, finding_picture
from latentdp.reports.formatting import RULE, epsilon
from latentdp.reports.html import write_page
from latentdp.reports.results import Measure, Outcome
from latentdp.reports.rows import Measured, by_name, measure_row, outcome_row

__all__ = ["MethodFacts", "method_facts", "write_evaluation_page"]

REFUTING = 3  # most reasons in a banner


@dataclass(frozen=True, kw_only=True)
class MethodFacts:
    """A method as a page tells of it, all text."""

    name: str
    title: str
    source: str
    claim: str
    epsilon: str
    guarantee: str
    covers: str


@dataclass(frozen=True)
class Beside:
    """One number of the method, and what each control reaches there; None where it has none."""

    row: Measured
    controls: list[Measured | None]


def write_evaluation_page(evaluation: Evaluation, path: Path) -> None:
    """Writes the page of an evaluation.

    Args:
        evaluation: As `latentdp evaluate` writes it, or read again with `Evaluation.from_json`.
        path: Of the page.
    """
    outcomes = [outcome_row(o) for o in evaluation.outcomes]
    measures = evaluation.utility
    controls = () if evaluation.controls is UNSET else evaluation.controls
    method = evaluation.method
    write_page(
        path,
        "evaluation.html.j2",
        method=method_facts(method),
        version=evaluation.version,
        banners=_banners(evaluation),
        answers=answers(evaluation),
        apart=telling_apart(evaluation),
        lines=evaluation.verdict.lines,
        claims=evaluation.verdict.claims,
        headline=[row for row in outcomes if row.headline] or outcomes,
        headline_utility=[measure_row(m) for m in measures if m.headline],
        pictures=attack_pictures("attack", evaluation.outcomes, controls, method.bounds_attacks),
        findings=finding_picture("utility", measures),
        controls=[method_facts(control.method) for control in controls],
        beside=_beside(evaluation),
        attacks=by_name(outcomes),
        utilities=by_name(measure_row(m) for m in measures if not m.of_a_subgroup),
        looks=[measure_row(m) for m in measures if m.of_looks],
        subgroups=[measure_row(m) for m in measures if m.of_a_subgroup],
        metrics=_metrics([*outcomes, *map(measure_row, measures)]),
        unable=() if evaluation.unable is UNSET else evaluation.unable,
        setup=_setup(evaluation),
        rule=RULE,
    )


def method_facts(method: MethodDescription) -> MethodFacts:
    """A method's entry as text."""
    return MethodFacts(
        name=method.name,
        title=method.title,
        source=method.source,
        claim=method.claim,
        epsilon=epsilon(method.guarantee),
        guarantee="none" if method.guarantee is None else method.guarantee.text,
        covers="yes: no attack may beat its ceiling"
        if method.protects_all
        else "no: there is no ceiling for an attack",
    )


def _banners(evaluation: Evaluation) -> list[tuple[str, str]]:
    """What must be seen first: a level and a text."""
    lines = refuting(evaluation)
    more = f"; and {len(lines) - REFUTING} more, see below" if len(lines) > REFUTING else ""
    banners = (
        [("danger", f"A CLAIM IS REFUTED: {'; '.join(lines[:REFUTING])}{more}")] if lines else []
    )
    banners += [
        (
            "caution",
            f"NOT SUPPORTED: {claim.claim}. Below stand the threshold, and what was measured.",
        )
        for claim in evaluation.verdict.claims
        if not claim.holds
    ]
    if evaluation.quick is True:
        banners.append(("caution", "QUICK: a first look with few restarts; too weak to rely on"))
    return banners


def _beside(evaluation: Evaluation) -> list[Beside]:
    """The numbers of the summary with the same of every control."""
    controls = () if evaluation.controls is UNSET else evaluation.controls
    rows = []
    attacked = [{_attack(o): outcome_row(o) for o in c.outcomes} for c in controls]
    for outcome in (o for o in evaluation.outcomes if o.headline):
        theirs = [outcomes.get(_attack(outcome)) for outcomes in attacked]
        rows.append(Beside(outcome_row(outcome), theirs))
    used = [{_use(m): measure_row(m) for m in c.utility} for c in controls]
    for measure in (m for m in evaluation.utility if m.headline):
        same = [measures.get(_use(measure)) for measures in used]
        rows.append(Beside(measure_row(measure), same))
    return [row for row in rows if any(row.controls)]


def _attack(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.attack, outcome.setting, outcome.metric.name


def _use(measure: Measure) -> tuple[str, str, str, str]:
    return measure.utility, measure.setting, measure.subject, measure.metric.name


def _metrics(rows: Sequence[Measured]) -> list[tuple[str, str]]:
    """Each metric on the page with what it says."""
    return list({row.metric: row.metric_meaning for row in rows if row.metric_meaning}.items())


def _setup(evaluation: Evaluation) -> list[tuple[str, str]]:
    """How it was measured: names and values, as far as they are stated."""
    settings = [] if evaluation.seed is UNSET else [("seed", _value(evaluation.seed))]
    for whose, part in (
        ("effort", evaluation.effort),
        ("released people", evaluation.cohort),
        ("people to practise on", evaluation.practice),
    ):
        if isinstance(part, Struct):
            settings += [
                (f"{whose}: {name.replace('_', ' ')}", _value(value))
                for name, value in structs.asdict(part).items()
                if value is not UNSET
            ]
    seconds = evaluation.seconds
    if seconds is not UNSET:
        settings.append(
            ("time", f"{seconds / 60:.1f} minutes" if seconds >= 90 else f"{seconds:.0f} s")
        )
    return settings


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return " x ".join(map(_value, value))
    return f"{value:,}" if isinstance(value, int) and abs(value) < 10**15 else str(value)
