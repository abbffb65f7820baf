"""The private page of the evaluation of a synthetic data set.

It is made from the evaluation's JSON alone, so anybody who has that can make it again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from latentdp.privacy.rounding import at_most, printed
from latentdp.reports.evaluation_parts import People
from latentdp.reports.formatting import RULE
from latentdp.reports.html import write_page
from latentdp.reports.results import Measure, Outcome
from latentdp.reports.rows import Measured, measure_row, outcome_row
from latentdp.reports.synthetic_evaluation import SyntheticEvaluation

__all__ = ["write_synthetic_evaluation_page"]


def write_synthetic_evaluation_page(evaluation: SyntheticEvaluation, path: Path) -> None:
    """Writes the page, for its owner alone.

    Args:
        evaluation: As `latentdp evaluate` writes it, or read again.
        path: Of the page.
    """
    utility = [_of_reader(measure_row(measure)) for measure in evaluation.utility]
    write_page(
        path,
        "synthetic_evaluation.html.j2",
        mode=0o600,
        version=evaluation.version,
        method=evaluation.method,
        claimed=_claimed(evaluation),
        banners=_banners(evaluation),
        headline=[row for row in utility if row.headline],
        utility=[row for row in utility if not row.headline],
        fidelity=list(map(measure_row, evaluation.fidelity)),
        copying=list(map(outcome_row, evaluation.copying)),
        nearest=list(map(measure_row, evaluation.nearest)),
        membership=list(map(outcome_row, evaluation.membership)),
        sharing=list(map(outcome_row, evaluation.sharing)),
        site=evaluation.site,
        canaries=_canaries(evaluation),
        metrics=_metrics(evaluation),
        unmeasured=evaluation.unmeasured,
        setup=_setup(evaluation),
        rule=RULE,
    )


def _of_reader(row: Measured) -> Measured:
    """A row that says first who read: the mean over findings in the summary, or one of them."""
    return replace(row, subject=row.name if row.headline else f"{row.subject}: {row.name}")


def _banners(evaluation: SyntheticEvaluation) -> list[tuple[str, str]]:
    banners = [("danger", line) for line in evaluation.refuting]
    if evaluation.quick:
        banners.append(("caution", "QUICK: a first look; too weak to rely on"))
    return banners


def _claimed(evaluation: SyntheticEvaluation) -> list[tuple[str, str, str]]:
    """Relation, epsilon at delta, mu."""
    claimed = evaluation.claimed
    at = f"delta {printed(claimed.delta)}"
    return [
        (
            "another patient in the place of one (replace-one)",
            f"epsilon {printed(claimed.replace_one_epsilon)}, {at}",
            at_most(claimed.replace_one_mu, 4),
        ),
        (
            "a patient more or less (add-remove)",
            f"epsilon {printed(claimed.add_remove_epsilon)}, {at}",
            at_most(claimed.add_remove_mu, 4),
        ),
    ]


def _canaries(evaluation: SyntheticEvaluation) -> list[tuple[str, str]]:
    audit = evaluation.canaries
    if audit is None:
        return []
    percent = f"{100 * audit.confidence:g} %"
    return [
        ("guesses", f"{audit.right:,} of {audit.canaries:,} right, in {audit.runs:,} runs"),
        (f"mu at least ({percent})", f"{audit.found_mu:.3f}"),
        ("without assuming independent noise", f"{audit.found_mu_by_run:.3f}"),
        ("mu claimed", at_most(audit.claimed_mu, 4)),
        (f"epsilon at least ({percent})", f"{audit.found_epsilon:.3f}"),
        ("epsilon claimed", printed(audit.claimed_epsilon)),
        ("verdict", "REFUTED" if audit.refuted else "holds"),
    ]


def _metrics(evaluation: SyntheticEvaluation) -> list[tuple[str, str]]:
    """Each metric on the page with what it says."""
    e = evaluation
    measures: Iterable[Measure] = (*e.utility, *e.fidelity, *e.nearest)
    outcomes: Iterable[Outcome] = (*e.copying, *e.membership, *e.sharing)
    rows: list[Measured] = [*map(measure_row, measures), *map(outcome_row, outcomes)]
    return list({row.metric: row.metric_meaning for row in rows if row.metric_meaning}.items())


def _setup(evaluation: SyntheticEvaluation) -> list[tuple[str, str]]:
    rows = [
        ("synthetic images", f"{evaluation.images:,}"),
        ("findings", "; ".join(evaluation.findings) or "none"),
        *_people("cohort", evaluation.cohort),
        *_people("other patients", evaluation.test),
        ("seed", str(evaluation.seed)),
        ("time", f"{evaluation.seconds:.0f} s"),
    ]
    if evaluation.verifier is not None:
        rows.append(("verifier", evaluation.verifier.name))
    return rows


def _people(whose: str, people: People | None) -> list[tuple[str, str]]:
    if people is None:
        return [(whose, "none")]
    return [(whose, f"{people.images:,} images of {people.patients:,} patients")]
