"""``latentdp synthesize``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp.data.splits import USUAL_SPLITS, Splits
from latentdp.errors import InputError
from latentdp.reports.release_card import CARD, IMAGES
from latentdp.reports.release_contents import GENERATOR

from ._config import configurable
from ._options import (
    AllChestsOption,
    AllFrontalOption,
    BurnedInOption,
    JsonOption,
    NoMarkOption,
    WeightsOption,
)
from ._panels import RUN
from ._render import print_json, share_progress, table
from ._run_options import (
    LanguageOption,
    LedgerOption,
    ParquetOption,
    SplitsOption,
)
from ._synthesis_options import (
    BudgetOption,
    CandidatesOption,
    DeltaOption,
    DryRunOption,
    EpsilonOption,
    FindingsOption,
    FormatOption,
    ImagesOption,
    ImagesPerPatientOption,
    LabelsOption,
    MethodOption,
    SizeOption,
    VaultOption,
)
from ._synthesis_rows import synthesis_rows, synthesis_values

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow
    from latentdp.synthesis.destination import Form
    from latentdp.synthesis.summary import SynthesisSummary

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
    labels: LabelsOption = None,
    epsilon: EpsilonOption = 2.0,
    delta: DeltaOption = None,
    images: ImagesOption = 1_000,
    findings: FindingsOption = None,
    method: MethodOption = "gaussian",
    images_per_patient: ImagesPerPatientOption = 4,
    size: SizeOption = None,
    file_format: FormatOption = "png",
    no_mark: NoMarkOption = False,
    candidates: CandidatesOption = 1,
    splits: SplitsOption = USUAL_SPLITS,
    parquet: ParquetOption = False,
    weights: WeightsOption = "cxr-adult",
    accept_burned_in: BurnedInOption = False,
    all_chests: AllChestsOption = False,
    all_frontal: AllFrontalOption = False,
    vault: VaultOption = None,
    budget: BudgetOption = None,
    ledger: LedgerOption = None,
    generator: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help=f"Draw from a {GENERATOR} that was learnt before, at no cost.",
            rich_help_panel=RUN,
        ),
    ] = None,
    language: LanguageOption = None,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Learn from a whole private cohort, and draw a labelled synthetic data set from it.

    Exit codes: 0 all done, 1 some files quarantined, 2 wrong usage or nothing usable, 3 budget
    refused, 4 weights refused, 5 stopped in the middle (run it again to go on).
    """
    from latentdp.synthesis.destination import Form
    from latentdp.synthesis.request import SynthesisRequest
    from latentdp.synthesis.run import preview_synthesis
    from latentdp.synthesis.run import synthesize as learn_and_draw

    if generator is not None:
        if out is not None or labels is not None or dry_run:
            raise InputError("--from takes an output folder alone, and no cohort")
        form = Form(
            file_format=file_format,
            mark=not no_mark,
            candidates=candidates,
            splits=Splits.parse(splits),
            parquet=parquet,
        )
        return _draw(generator, cohort, weights, images, size, form, language, json=json)
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
        file_format=file_format,
        mark=not no_mark,
        candidates=candidates,
        splits=splits,
        parquet=parquet,
        method=method,
        images_per_patient=images_per_patient,
        accept_burned_in=accept_burned_in,
        all_chests=all_chests,
        all_frontal=all_frontal,
        budget=budget,
        ledger=ledger,
        language=language,
    )
    flow = _flow(weights)
    run = preview_synthesis if dry_run else learn_and_draw
    with share_progress("synthesis", shown=not json) as advance:
        summary = run(request, flow, progress=advance)
    if json:
        print_json(synthesis_values(request, summary, dry_run=dry_run))
    else:
        rows = synthesis_rows(request, summary, dry_run=dry_run)
        table(_title(summary, dry_run=dry_run), rows)
    return summary.exit_code


def _draw(
    file: Path,
    out: Path,
    weights: str,
    images: int,
    size: int | None,
    form: Form,
    language: str | None,
    *,
    json: bool,
) -> int:
    from latentdp.privacy.noise import SystemNoise
    from latentdp.reports.image_table import check_parquet
    from latentdp.reports.release_page import language_of
    from latentdp.reports.synthesis_card import SynthesisCard
    from latentdp.synthesis.destination import Destination
    from latentdp.synthesis.generator import Generator
    from latentdp.synthesis.request import check_images
    from latentdp.synthesis.write import draw

    check_images(images, size)
    if form.parquet:
        check_parquet()
    language_of(out, language)
    learnt = Generator.load(file)
    name = learnt.synthesis.weights.name
    flow = _flow(name if weights == "cxr-adult" and name else weights)
    destination = Destination.of(out, flow, images, size, form=form)
    destination.check()
    if not destination.holds(learnt):
        with share_progress("drawing", shown=not json) as advance:
            draw(
                file,
                destination,
                flow,
                SystemNoise(),
                lambda done, total: advance(done / total, "drawing images"),
                language=language,
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


def _title(summary: SynthesisSummary, *, dry_run: bool) -> str:
    if dry_run:
        return "dry run: nothing was written"
    return "synthetic data set" + (", finished before" if summary.already else "")


command = configurable(synthesize)
