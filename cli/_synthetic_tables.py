"""Tables of the evaluation of a synthetic data set, and of an audit by canaries, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from latentdp.privacy.rounding import at_most, printed

from ._evaluation_tables import plain, print_table
from ._render import table

if TYPE_CHECKING:
    from latentdp.reports.canary_audit import CanaryAudit
    from latentdp.reports.results import Measure, Outcome
    from latentdp.reports.synthetic_evaluation import SyntheticEvaluation

ATTACKED = ("attack", "by", "number", "value (95 %)", "chance", "ceiling", "n", "verdict")


def synthetic_tables(evaluation: SyntheticEvaluation) -> None:
    """Prints what matters most of an evaluation; all of it is on the page."""
    for line in evaluation.refuting:
        table("", [("WARNING", line)])
    headline = [m for m in evaluation.utility if m.headline]
    _measures("is it good to learn from? mean AUC on other patients' originals", headline)
    _measures("does it look like the cohort?", evaluation.fidelity)
    _outcomes("does it hold copies?", evaluation.copying)
    _measures("nearest originals", evaluation.nearest)
    _outcomes("can it be told who was learnt from?", evaluation.membership)
    _outcomes("what does whoever adds up make of the file?", evaluation.sharing)
    if evaluation.canaries is not None:
        canary_table(evaluation.canaries)
    if evaluation.unmeasured:
        table("not measured", [(one.name, one.why) for one in evaluation.unmeasured])


def canary_table(audit: CanaryAudit) -> None:
    """Prints what canaries found, beside the claim."""
    bound = f"at least ({100 * audit.confidence:g} %)"
    table(
        f"canaries in a public cohort, method {audit.method} (replace-one)",
        [
            ("guesses", f"{audit.right:,} of {audit.canaries:,} right, {audit.runs:,} runs"),
            (f"mu {bound}", f"{audit.found_mu:.3f}, of {at_most(audit.claimed_mu, 3)} claimed"),
            ("whatever the noise", f"{audit.found_mu_by_run:.3f}"),
            (
                f"epsilon {bound}",
                f"{audit.found_epsilon:.3f}, of {at_most(audit.claimed_epsilon, 3)} claimed, at "
                f"delta {printed(audit.delta)}",
            ),
            ("verdict", "BROKEN" if audit.refuted else "holds"),
        ],
    )


def _measures(title: str, measures: Sequence[Measure]) -> None:
    from latentdp.reports.rows import measure_row

    rows = [(r.name, r.setting, r.metric, plain(r.both), r.n) for r in map(measure_row, measures)]
    print_table(title, ("by", "setting", "number", "value (95 %)", "n"), rows)


def _outcomes(title: str, outcomes: Sequence[Outcome]) -> None:
    from latentdp.reports.rows import outcome_row

    rows = [
        (r.name, r.setting, r.metric, plain(r.both), r.chance, r.ceiling, r.n, r.word)
        for r in map(outcome_row, outcomes)
    ]
    print_table(title, ATTACKED, rows)
