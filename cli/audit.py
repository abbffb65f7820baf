"""``latentdp audit``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from latentdp import InputError
from latentdp.core import plugins
from latentdp.privacy.noise import SystemNoise
from latentdp.privacy.rounding import at_most, printed

from ._options import JsonOption
from ._render import print_json, progress

if TYPE_CHECKING:
    from latentdp.privacy.audit.report import AuditReport
    from latentdp.privacy.mechanisms.base import Mechanism

LARGEST = 8  # dimensions of an example that is audited by default
LARGE_DELTA = 0.01  # at which a million draws can see something


def audit(
    mechanism: Annotated[
        list[str] | None,
        typer.Option("--mechanism", metavar="NAME", help="One or more; by default every one."),
    ] = None,
    epsilon: Annotated[
        float | None,
        typer.Option(
            "--epsilon",
            help="Audit what a whole image would get at this budget, in nats, instead of small "
            "examples.",
        ),
    ] = None,
    dimensions: Annotated[
        int | None,
        typer.Option("--dimensions", metavar="K", help="With --epsilon: latent dimensions, 8."),
    ] = None,
    trials: Annotated[
        int, typer.Option("--trials", metavar="N", help="Draws for each input, and canaries.")
    ] = 100_000,
    confidence: Annotated[
        float | None,
        typer.Option(
            "--confidence",
            help="Of each lower bound; one minus the false alarms. Default: 0.999999.",
        ),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Bound each mechanism's epsilon from below by experiment, beside its claim.

    Exact enumeration where a mechanism is small, the Clopper-Pearson bound of the best event, and
    one run on many canaries. Exits with 1 if anything contradicts a claim.
    """
    from latentdp.privacy.audit.report import CONFIDENCE, LOOKS
    from latentdp.privacy.audit.report import audit as look

    if dimensions is not None and epsilon is None:
        raise InputError("--dimensions needs --epsilon")
    k = 8 if dimensions is None else dimensions
    cases = list(_cases(mechanism or plugins.names("mechanisms"), epsilon, k))
    reports = []
    with progress("auditing", shown=not json) as advance:
        done = 0

        def one_more_look() -> None:
            nonlocal done
            done += 1
            advance(done, LOOKS * len(cases))

        for case, delta in cases:
            reports.append(
                look(
                    case,
                    noise=SystemNoise(),
                    trials=trials,
                    confidence=CONFIDENCE if confidence is None else confidence,
                    delta=delta,
                    looked=one_more_look,
                )
            )
    if json:
        print_json([report.describe() for report in reports])
    else:
        _print(reports)
    broken = [report for report in reports if report.problems]
    for report in broken:
        for problem in report.problems:
            typer.echo(f"latentdp: {report.mechanism.name}: {problem}", err=True)
    return 1 if broken else 0


def _cases(
    names: list[str] | tuple[str, ...], epsilon: float | None, k: int
) -> Iterator[tuple[Mechanism, float | None]]:
    """What is audited, each at its own delta and, if it has one, at one that draws can see."""
    for name in names:
        module = plugins.load("mechanisms", name)
        if epsilon is not None:
            mechanisms = [module.mechanism.calibrate(epsilon, k)]
        else:
            mechanisms = [e for e in module.examples if e.dimensions <= LARGEST]
        for mechanism in mechanisms:
            yield mechanism, None
            if 0 < mechanism.guarantee.delta < LARGE_DELTA:
                yield mechanism, LARGE_DELTA


def _print(reports: list[AuditReport]) -> None:
    summary = Table(title="audit: epsilon in nats", box=box.SIMPLE, title_justify="left")
    summary.add_column("mechanism", min_width=22)
    for column in ("claim", "exact", "best\nevent", "one\nrun", "sampler\np", "verdict"):
        summary.add_column(column, no_wrap=True, justify="right")
    for report in reports:
        summary.add_row(
            _described(report),
            at_most(report.claim.epsilon, 3),
            "" if report.exact is None else f"{report.exact.found:.3f}",
            f"{report.frequencies.found:.3f}",
            f"{report.one_run.found:.3f}" if report.one_run.found else "none",
            f"{report.sampler:.1g}",
            "BROKEN" if report.problems else "holds",
        )
    console = Console(highlight=False, markup=False)
    console.print(summary)
    console.print(
        "exact: by enumeration. best event, one run: lower bounds at confidence "
        f"{reports[0].confidence:.7g}; they can refute a claim, never prove it."
    )


def _described(report: AuditReport) -> str:
    mechanism, delta = report.mechanism, report.claim.delta
    parameters = {f.name: getattr(mechanism, f.name) for f in fields(mechanism)}  # type: ignore[arg-type]
    k = parameters.pop("dimensions")
    parameters.pop("delta", None)
    words = [
        f"{key} 2^{math.log2(value):.4g}" if value >= 2**32 else f"{key} {value:.5g}"
        for key, value in parameters.items()
    ]
    if delta:
        words.append(f"at delta {printed(delta)}")
    return f"{mechanism.name}, {k} dim{'s' * (k > 1)}\n{', '.join(words)}"


command = audit
