"""``latentdp synthesize``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp.core import plugins
from latentdp.errors import InputError
from latentdp.privacy.rounding import printed
from latentdp.reports.guarantee_words import EARLIER
from latentdp.reports.release_card import CARD, IMAGES

from ._options import (
    AllChestsOption,
    AllFrontalOption,
    BurnedInOption,
    JsonOption,
    LedgerOption,
    WeightsOption,
)
from ._render import print_json, share_progress, table

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow
    from latentdp.synthesis.request import SynthesisRequest
    from latentdp.synthesis.summary import SynthesisSummary
    from latentdp.vault.spending import Spent

GENERATOR = "generator.safetensors"
KIND = "synthesis methods"


def synthesize(
    cohort: Annotated[
        Path,
        typer.Argument(
            metavar="COHORT",
            help="Folder of the hospital's images, or a table (CSV) of them with the columns "
            "file, label and patient. With --from: OUT.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Argument(metavar="OUT", help="New folder for the data set.")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="CSV",
            help="Findings by file, examination or patient, as for privatize, under any names, "
            "several separated by ;. Where headers name no patient, a column patient does.",
        ),
    ] = None,
    epsilon: Annotated[
        float,
        typer.Option("--epsilon", help="Budget of each patient, replace-one, in nats."),
    ] = 2.0,
    delta: Annotated[
        float | None,
        typer.Option("--delta", help="Default: 1e-5, or n^-1.1 for more than 10,000 patients."),
    ] = None,
    images: Annotated[
        int, typer.Option("--images", help="Images to draw; more cost nothing.")
    ] = 1_000,
    findings: Annotated[
        str | None,
        typer.Option(
            "--findings",
            metavar="NAMES",
            help="Names of findings that are public, separated by ;, in place of those in the "
            "table, of which rare ones are not told.",
        ),
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method", metavar="NAME", help=f"One of: {', '.join(plugins.names(KIND))}."
        ),
    ] = "gaussian",
    images_per_patient: Annotated[
        int,
        typer.Option("--images-per-patient", help="Images of a patient that are looked at."),
    ] = 4,
    size: Annotated[
        int | None,
        typer.Option("--size", metavar="N", help="Pixels on a side of an image."),
    ] = None,
    weights: WeightsOption = "cxr-adult",
    accept_burned_in: BurnedInOption = False,
    all_chests: AllChestsOption = False,
    all_frontal: AllFrontalOption = False,
    vault: Annotated[
        Path | None,
        typer.Option(
            "--vault",
            metavar="DIR",
            help="Private folder for key, ledger and reports; default one for OUT in this "
            "user's state. Use that of your releases, so that costs add up.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget",
            metavar="EPSILON",
            help="Refuse (exit 3) if a patient would have spent more than this in the vault.",
        ),
    ] = None,
    ledger: LedgerOption = None,
    generator: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help=f"Draw from a {GENERATOR} that was learnt before, at no cost.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Read everything, write nothing, show what it would cost."),
    ] = False,
    json: JsonOption = False,
) -> int:
    """Learn from a whole private cohort, and draw a labelled synthetic data set from it.

    Exit codes: 0 all done, 1 some files quarantined, 2 wrong usage or nothing usable, 3 budget
    refused, 4 weights refused, 5 stopped in the middle (run it again to go on).
    """
    from latentdp.synthesis.request import SynthesisRequest
    from latentdp.synthesis.run import preview_synthesis
    from latentdp.synthesis.run import synthesize as learn_and_draw

    if generator is not None:
        if out is not None or labels is not None or dry_run:
            raise InputError("--from takes an output folder alone, and no cohort")
        return _draw(generator, cohort, weights, images, size, json=json)
    if out is None:
        raise InputError("expected COHORT and OUT; or --from FILE and OUT")
    request = SynthesisRequest(
        source=cohort,
        out=out,
        vault=vault,
        labels=labels,
        epsilon=epsilon,
        delta=delta,
        findings=findings,
        images=images,
        size=size,
        method=method,
        images_per_patient=images_per_patient,
        accept_burned_in=accept_burned_in,
        all_chests=all_chests,
        all_frontal=all_frontal,
        budget=budget,
        ledger=ledger,
    )
    flow = _flow(weights)
    run = preview_synthesis if dry_run else learn_and_draw
    with share_progress("synthesis", shown=not json) as advance:
        summary = run(request, flow, progress=advance)
    if json:
        print_json(_values(request, summary, dry_run=dry_run))
    else:
        _print(request, summary, dry_run=dry_run)
    return summary.exit_code


def _draw(
    file: Path, out: Path, weights: str, images: int, size: int | None, *, json: bool
) -> int:
    from latentdp.privacy.noise import SystemNoise
    from latentdp.reports.synthesis_card import SynthesisCard
    from latentdp.synthesis.generator import Generator
    from latentdp.synthesis.request import check_images
    from latentdp.synthesis.write import Destination, draw

    check_images(images, size)
    learnt = Generator.load(file)
    name = learnt.synthesis.weights.name
    flow = _flow(name if weights == "cxr-adult" and name else weights)
    destination = Destination.of(out, flow, images, size)
    destination.check()
    if not destination.holds(learnt):
        with share_progress("drawing", shown=not json) as advance:
            draw(
                file,
                destination,
                flow,
                SystemNoise(),
                lambda done, total: advance(done / total, "drawing images"),
            )
    card = SynthesisCard.find(out)
    assert card is not None
    if json:
        print_json({"release": str(out / CARD), "images": images, "epsilon_charged_now": 0.0,
                    "guarantee": card.synthesis.guarantee})  # fmt: skip
        return 0
    rows = [("images", f"{images} in {out / IMAGES}, at no cost")]
    rows += [("guarantee", line) for line in card.synthesis.guarantee.statement]
    table("drawn from a generator", rows)
    return 0


def _flow(weights: str) -> Flow:
    from latentdp.models.flow.flow import load_flow

    return load_flow(weights, exact=False)


def _values(
    request: SynthesisRequest, summary: SynthesisSummary, *, dry_run: bool
) -> dict[str, object]:
    values: dict[str, object] = {
        "dry_run": dry_run,
        "patients": summary.patients,
        "files": summary.files,
        "passed_over": summary.passed_over,
        "quarantined": dict(summary.quarantined),
        "epsilon_charged_now": summary.charged,
        **_standing(summary.standing),
        "guarantee": summary.guarantee,
    }
    if dry_run:
        refused = summary.refused.items()
        return values | {"refused": [{"file": f, "reason": r.reason} for f, r in refused]}
    return values | {
        "release": str(request.out / CARD),
        "vault": str(request.place),
        "report": str(summary.report),
        "images": summary.images,
        "findings": list(summary.findings),
        "warnings": list(summary.warnings),
        "already": summary.already,
    }


def _standing(most: Spent) -> dict[str, object]:
    """As of `latentdp ledger --json`: None for infinity, and why."""
    values: dict[str, object] = {"most_spent": most.epsilon, "most_delta": most.delta}
    if most.unprotected:
        values |= {
            "most_spent": None,
            "most_spent_on_noised_part": most.noised_epsilon,
            "unprotected": [EARLIER],
        }
    return values


def _stands(most: Spent) -> str:
    """The same in words."""
    exactly = f" ({EARLIER}; {printed(most.noised_epsilon)} on the noised part)"
    return (
        f"epsilon {printed(most.epsilon)}{exactly if most.unprotected else ''}, "
        f"delta {printed(most.delta)} at most of one patient, with all else from this vault"
    )


def _print(request: SynthesisRequest, summary: SynthesisSummary, *, dry_run: bool) -> None:
    guarantee = summary.guarantee
    assert guarantee is not None
    rows = [
        ("patients", f"{summary.patients}, of whom there are {summary.files} files"),
        ("passed over", f"{summary.passed_over} files: equal ones, or too many of a patient"),
    ]
    rows += [("quarantined", f"{n} {reason}") for reason, n in summary.quarantined.items()]
    verb = "would charge" if dry_run else "charged"
    rows.append((verb, f"epsilon {printed(summary.charged)} to every patient"))
    rows.append(("would stand at" if dry_run else "stands at", _stands(summary.standing)))
    rows += [("WARNING", line) for line in summary.warnings]
    rows += [("guarantee", line) for line in guarantee.statement]
    if dry_run:
        rows += [("refused", f"{name}: {r.reason}") for name, r in summary.refused.items()]
        table("dry run: nothing was written", rows)
        return
    out = request.out
    rows += [
        ("findings", "; ".join(summary.findings) or "none could be told"),
        ("images", f"{summary.images} in {out / IMAGES}"),
        ("generator", f"{out / GENERATOR} (public: draws more at no cost)"),
        ("card", f"{out / CARD} (public)"),
        ("vault", f"{request.place} (PRIVATE: key, ledger, reports; do not release it)"),
        ("report", str(summary.report)),
    ]
    table("synthetic data set" + (", finished before" if summary.already else ""), rows)


command = synthesize
