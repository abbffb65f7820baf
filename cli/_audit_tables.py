"""What `latentdp audit` prints: mechanisms, and the whole way from image to release."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields

from rich import box
from rich.console import Console
from rich.table import Table

from latentdp.evaluation.audit_pipeline import LOOKS, PipelineLook
from latentdp.evaluation.audit_recipe import NOT_LOOKED_AT
from latentdp.privacy.audit.report import AuditReport
from latentdp.privacy.rounding import at_most, printed

__all__ = ["mechanism_table", "pipeline_table"]


def mechanism_table(reports: Sequence[AuditReport]) -> None:
    """Prints every look at each mechanism."""
    rows = Table(title="audit: epsilon in nats", box=box.SIMPLE, title_justify="left")
    rows.add_column("mechanism", min_width=22)
    for column in ("claim", "exact", "best\nevent", "one\nrun", "sampler\np", "verdict"):
        rows.add_column(column, no_wrap=True, justify="right")
    for report in reports:
        rows.add_row(
            _described(report),
            at_most(report.claim.epsilon, 3),
            "" if report.exact is None else f"{report.exact.found:.3f}",
            f"{report.frequencies.found:.3f}",
            f"{report.one_run.found:.3f}" if report.one_run.found else "none",
            f"{report.sampler:.1g}",
            "BROKEN" if report.problems else "holds",
        )
    console = Console(highlight=False, markup=False)
    console.print(rows)
    console.print(
        "exact: by enumeration. best event, one run: lower bounds at confidence "
        f"{reports[0].confidence:.7g}; they can refute a claim, never prove it."
    )


def pipeline_table(title: str, looks: Sequence[PipelineLook]) -> None:
    """Prints every look at the whole way, what they are, and what they are not."""
    console = Console(highlight=False, markup=False)
    if not looks:
        console.print(f"{title}: nothing to look at, for nothing is claimed of an image")
        return
    rows = Table(title=title, box=box.SIMPLE, title_justify="left")
    rows.add_column("changed", min_width=17)
    rows.add_column("flow")
    for column in ("budget", "claim", "at\nleast", "can\nshow", "draws", "verdict"):
        rows.add_column(column, no_wrap=True, justify="right")
    for look in looks:
        rows.add_row(
            look.name,
            look.flow,
            at_most(look.budget, 3),
            at_most(look.claim.epsilon, 3),
            f"{look.found:.3f}",
            f"{look.largest:.3f}",
            f"{look.draws:,}",
            _verdict(look),
        )
    console.print(rows)
    for name in dict.fromkeys(look.name for look in looks):
        console.print(f"{name}: {LOOKS[name]}.")
    console.print(
        "at least: a lower bound, from pixels and labels, at confidence "
        f"{looks[0].confidence:.7g}; it can refute a claim, never prove it."
    )
    for (flow, draws), most in _reach(looks).items():
        console.print(
            f"can show: {draws:,} releases of the {flow} flow can show at most epsilon "
            f"{at_most(most, 2)}, whatever leaks; a claim of that or more is not tested by them."
        )
    console.print(f"Not looked at: {'; '.join(NOT_LOOKED_AT)}.")


def _verdict(look: PipelineLook) -> str:
    if look.problem:
        return "BROKEN"
    return "holds" if look.largest > look.claim.epsilon else "not tested"


def _reach(looks: Sequence[PipelineLook]) -> dict[tuple[str, int], float]:
    """Most that draws of each flow can show, for each number of them."""
    most: dict[tuple[str, int], float] = {}
    for look in looks:
        key = look.flow, look.draws
        most[key] = max(look.largest, most.get(key, 0.0))
    return most


def _described(report: AuditReport) -> str:
    mechanism, delta = report.mechanism, report.claim.delta
    given = {f.name: getattr(mechanism, f.name) for f in fields(mechanism)}  # type: ignore[arg-type]
    k = given.pop("dimensions")
    given.pop("delta", None)
    shown = [
        f"{key} 2^{math.log2(value):.4g}" if value >= 2**32 else f"{key} {value:.5g}"
        for key, value in given.items()
    ]
    if delta:
        shown.append(f"at delta {printed(delta)}")
    return f"{mechanism.name}, {k} dim{'s' * (k > 1)}\n{', '.join(shown)}"
