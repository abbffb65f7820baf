"""``latentdp federate share``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .._options import AllChestsOption, AllFrontalOption, BurnedInOption, JsonOption, WeightsOption
from .._panels import FIRST
from .._render import print_json, share_progress, table
from .._run_options import LedgerOption
from .._synthesis_options import (
    BudgetOption,
    DeltaOption,
    DryRunOption,
    EpsilonOption,
    FindingsOption,
    ImagesPerPatientOption,
    LabelsOption,
    MethodOption,
    VaultOption,
)
from .._synthesis_rows import learnt_rows, learnt_values


def share(
    cohort: Annotated[
        Path,
        typer.Argument(
            metavar="COHORT",
            help="Folder of the hospital's images, or a table (CSV) of them with the columns "
            "file, label and patient.",
        ),
    ],
    site: Annotated[
        Path, typer.Argument(metavar="SITE", help="New file to send, such as north.site.")
    ],
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            help="What the site calls itself, in public; by default the name of SITE.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    labels: LabelsOption = None,
    epsilon: EpsilonOption = 2.0,
    delta: DeltaOption = None,
    findings: FindingsOption = None,
    method: MethodOption = "gaussian",
    images_per_patient: ImagesPerPatientOption = 4,
    weights: WeightsOption = "cxr-adult",
    accept_burned_in: BurnedInOption = False,
    all_chests: AllChestsOption = False,
    all_frontal: AllFrontalOption = False,
    vault: VaultOption = None,
    budget: BudgetOption = None,
    ledger: LedgerOption = None,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Learn from the own patients, and write one file that protects them from everybody.

    All sites give the same --findings, --method and --weights. Exit codes: as of synthesize.
    """
    from latentdp.federation.share import check_request, preview_share
    from latentdp.federation.share import share as learn_and_write
    from latentdp.models.flow.flow import load_flow
    from latentdp.synthesis.request import SynthesisRequest

    name = site.stem if name is None else name
    request = SynthesisRequest(
        source=cohort,
        out=site,
        vault=vault,
        labels=labels,
        epsilon=epsilon,
        delta=delta,
        findings=findings,
        method=method,
        images_per_patient=images_per_patient,
        accept_burned_in=accept_burned_in,
        all_chests=all_chests,
        all_frontal=all_frontal,
        budget=budget,
        ledger=ledger,
    )
    check_request(request, name)
    flow = load_flow(weights, exact=False)
    with share_progress("learning", shown=not json) as advance:
        if dry_run:
            summary, card = preview_share(request, flow, name, progress=advance), None
        else:
            summary, card = learn_and_write(request, flow, name, progress=advance)
    values = learnt_values(summary, dry_run=dry_run)
    rows = learnt_rows(summary, dry_run=dry_run)
    if card is not None:
        values |= {"site": str(site), "name": card.name, "key": card.key,
                   "vault": str(request.place), "report": str(summary.report)}  # fmt: skip
        rows += [
            ("site", f"{site} (public: send it to whoever combines)"),
            ("name", card.name),
            ("key", f"{card.key} (public: tell it to the others by another way)"),
            ("vault", f"{request.place} (PRIVATE: key, ledger, reports; do not release it)"),
            ("report", str(summary.report)),
        ]
    if json:
        print_json(values)
    else:
        table("dry run: nothing was written" if dry_run else "a site's part", rows)
    return summary.exit_code


command = share
