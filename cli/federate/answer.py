"""``latentdp federate answer``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp.errors import InputError

from .._options import AllChestsOption, AllFrontalOption, BurnedInOption, JsonOption, WeightsOption
from .._panels import FIRST, GUARANTEE
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
    VaultOption,
)
from .._synthesis_rows import learnt_rows, learnt_values


def answer(
    cohort: Annotated[
        Path,
        typer.Argument(
            metavar="COHORT",
            help="Folder of the hospital's images, or a table (CSV) of them with the columns "
            "file, label and patient.",
        ),
    ],
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="Where questions arrive, as round-0001.question.json and so on, and answers go.",
        ),
    ],
    *,
    study: Annotated[
        str | None,
        typer.Option(
            "--study",
            metavar="NAME",
            help="What all sites call this training; another one is charged again.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    rounds: Annotated[
        int,
        typer.Option(
            "--rounds",
            metavar="N",
            help="How often the cohort is asked, as all sites agreed.",
            rich_help_panel=FIRST,
        ),
    ] = 20,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            help="What the site calls itself, in public; by default the name of FOLDER.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    labels: LabelsOption = None,
    epsilon: EpsilonOption = 2.0,
    delta: DeltaOption = None,
    findings: FindingsOption = None,
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            metavar="SECONDS",
            help="Go on as long as the next question comes within so many seconds.",
            rich_help_panel=FIRST,
        ),
    ] = 0.0,
    schedule: Annotated[
        str,
        typer.Option(
            "--schedule",
            metavar="NAME",
            help="Of the noise over rounds: constant or falling.",
            rich_help_panel=GUARANTEE,
        ),
    ] = "constant",
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
    """Answer the questions of a study from the own patients, each protected from everybody.

    All rounds are charged at once, before the first answer; a round that was answered is answered
    as before. A question other than what was agreed to here is refused. Exit codes: as of
    synthesize.
    """
    from latentdp.federation.rounds.request import RoundsRequest
    from latentdp.federation.rounds.respond import answer_rounds, preview_rounds
    from latentdp.models.flow.flow import load_flow
    from latentdp.reports.training_words import site_as_unit

    if study is None:
        raise InputError("expected --study: what all sites call this training")
    request = RoundsRequest(
        source=cohort,
        out=folder,
        vault=vault,
        labels=labels,
        epsilon=epsilon,
        delta=delta,
        findings=findings,
        images_per_patient=images_per_patient,
        accept_burned_in=accept_burned_in,
        all_chests=all_chests,
        all_frontal=all_frontal,
        budget=budget,
        ledger=ledger,
        study=study,
        rounds=rounds,
        name=folder.resolve().name if name is None else name,
        schedule=schedule,
        wait=wait,
    )
    flow = load_flow(weights, exact=False)
    with share_progress("answering", shown=not json) as advance:
        if dry_run:
            summary, done = preview_rounds(request, flow, progress=advance), None
        else:
            done = answer_rounds(request, flow, progress=advance)
            summary = done.summary
    values = learnt_values(summary, dry_run=dry_run)
    rows = learnt_rows(summary, dry_run=dry_run)
    if done is not None:
        whole = done.whole
        values |= {"rounds": list(done.rounds), "name": request.name, "key": done.key,
                   "as_unit": whole, "vault": str(request.place),
                   "report": str(summary.report)}  # fmt: skip
        rows += [
            ("site", site_as_unit(whole.epsilon, whole.delta, whole.patients)),
            ("answered", f"rounds {', '.join(map(str, done.rounds))} of {rounds}, in {folder} "
             "(public: send them to whoever asked)"),
            ("name", request.name),
            ("key", f"{done.key} (public: tell it to the others by another way)"),
            ("vault", f"{request.place} (PRIVATE: key, ledger, reports; do not release it)"),
            ("report", str(summary.report)),
        ]  # fmt: skip
    if json:
        print_json(values)
    else:
        table("dry run: nothing was written" if dry_run else "a site's answers", rows)
    return summary.exit_code


command = answer
