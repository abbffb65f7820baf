"""``latentdp federate combine``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp.data.splits import USUAL_SPLITS, Splits
from latentdp.reports.release_card import CARD, IMAGES
from latentdp.reports.release_contents import GENERATOR, PAGE

from .._options import JsonOption, NoMarkOption, WeightsOption
from .._panels import FIRST
from .._render import print_json, share_progress, table
from .._run_options import LanguageOption, ParquetOption, SplitsOption
from .._synthesis_options import CandidatesOption, FormatOption, ImagesOption, SizeOption


def combine(
    sites: Annotated[
        list[Path],
        typer.Argument(metavar="SITE...", help="Files of latentdp federate share, two or more."),
    ],
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="DIR", help="New folder for the data set.", rich_help_panel=FIRST
        ),
    ],
    trust: Annotated[
        list[str] | None,
        typer.Option(
            "--trust",
            metavar="KEY",
            help="Public key of a site, once for each; files that others signed are refused.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    images: ImagesOption = 1_000,
    size: SizeOption = None,
    file_format: FormatOption = "png",
    no_mark: NoMarkOption = False,
    candidates: CandidatesOption = 1,
    splits: SplitsOption = USUAL_SPLITS,
    parquet: ParquetOption = False,
    weights: WeightsOption = "cxr-adult",
    language: LanguageOption = None,
    json: JsonOption = False,
) -> int:
    """Add up what sites shared, and draw a labelled data set from it. Costs nothing.

    Exit codes: 0 done, 2 wrong usage or files that do not fit together, 4 weights refused, 5
    stopped in the middle (run it again to go on).
    """
    from latentdp.federation.combine import read_sites
    from latentdp.federation.draw import draw_together
    from latentdp.models.flow.flow import load_flow
    from latentdp.synthesis.destination import Destination, Form
    from latentdp.synthesis.request import check_images

    check_images(images, size)
    form = Form(
        file_format=file_format,
        mark=not no_mark,
        candidates=candidates,
        splits=Splits.parse(splits),
        parquet=parquet,
    )
    read = read_sites(sites, trust or ())
    flow = load_flow(weights, exact=False)
    destination = Destination.of(out, flow, images, size, form=form)
    with share_progress("drawing", shown=not json) as advance:
        synthesis = draw_together(
            read,
            flow,
            destination,
            lambda done, total: advance(done / total, "drawing images"),
            language=language,
        )
    if json:
        print_json({
            "release": str(out / CARD),
            "generator": str(out / GENERATOR),
            "images": images,
            "findings": list(synthesis.findings),
            "sites": [{"name": site.name, "key": site.key} for site in synthesis.sites],
            "epsilon_charged_now": 0.0,
            "guarantee": synthesis.guarantee,
            "warnings": list(synthesis.warnings),
        })  # fmt: skip
        return 0
    rows = [("site", f"{site.name}, key {site.key}") for site in synthesis.sites]
    rows += [("WARNING", line) for line in synthesis.warnings]
    rows += [("guarantee", line) for line in synthesis.guarantee.statement]
    rows += [
        ("findings", "; ".join(synthesis.findings)),
        ("images", f"{images} in {out / IMAGES}, at no cost"),
        ("generator", f"{out / GENERATOR} (public: draws more at no cost)"),
        ("card", f"{out / CARD} (public)"),
        ("page", f"{out / PAGE} (public: open it in a browser)"),
    ]
    table("a data set of several sites", rows)
    return 0


command = combine
