"""``latentdp vote train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp.core import plugins

from .. import _complete
from .._options import AllChestsOption, AllFrontalOption, BurnedInOption, JsonOption, WeightsOption
from .._panels import FIRST, GUARANTEE
from .._render import print_json, share_progress, table
from .._run_options import LedgerOption
from .._synthesis_options import DryRunOption, ImagesPerPatientOption, LabelsOption
from ._options import NameOption

KIND = "voters"


def train(
    cohort: Annotated[
        Path,
        typer.Argument(
            metavar="COHORT",
            help="Folder of the hospital's images, or a table (CSV) of them with the columns "
            "file, label and patient.",
        ),
    ],
    vault: Annotated[
        Path,
        typer.Argument(
            metavar="VAULT",
            help="Private folder for key, ledger and voters. Use that of your releases, so that "
            "costs add up.",
        ),
    ],
    findings: Annotated[
        str | None,
        typer.Option(
            "--findings",
            metavar="NAMES",
            help="Names of findings that are voted on, separated by ;. They are public.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    labels: LabelsOption = None,
    teachers: Annotated[
        int,
        typer.Option(
            "--teachers",
            metavar="N",
            help="How many vote. About one for every 16 patients is best.",
            rich_help_panel=FIRST,
        ),
    ] = 20,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="NAME",
            autocompletion=_complete.voters,
            help=f"Who votes, one of: {', '.join(plugins.names(KIND))}.",
            rich_help_panel=GUARANTEE,
        ),
    ] = "teachers",
    name: NameOption = "teachers",
    images_per_patient: ImagesPerPatientOption = 4,
    weights: WeightsOption = "cxr-adult",
    accept_burned_in: BurnedInOption = False,
    all_chests: AllChestsOption = False,
    all_frontal: AllFrontalOption = False,
    ledger: LedgerOption = None,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Divide patients among teachers and teach each. They stay in the vault; nothing is charged.

    Teachers are private, all of them. What they answer is charged: latentdp vote answer. Exit
    codes: 0 done, 1 some files quarantined, 2 wrong usage, 4 weights refused, 5 stopped in the
    middle.
    """
    from latentdp.models.flow.flow import load_flow
    from latentdp.synthesis.voting.train import TrainRequest, preview_train
    from latentdp.synthesis.voting.train import train as teach

    request = TrainRequest(
        source=cohort,
        vault=vault,
        name=name,
        voters=method,
        number=teachers,
        labels=labels,
        findings=findings,
        images_per_patient=images_per_patient,
        accept_burned_in=accept_burned_in,
        all_chests=all_chests,
        all_frontal=all_frontal,
        ledger=ledger,
    )
    flow = load_flow(weights, exact=False)
    with share_progress("teaching", shown=not json) as advance:
        summary = (preview_train if dry_run else teach)(request, flow, progress=advance)
    if json:
        print_json({
            "dry_run": dry_run,
            "patients": summary.patients,
            "files": summary.files,
            "passed_over": summary.passed_over,
            "quarantined": dict(summary.quarantined),
            "voters": summary.voters,
            "name": name,
            "vault": str(vault),
            "already": summary.already,
            "epsilon_charged_now": 0.0,
        })  # fmt: skip
        return summary.exit_code
    rows = [
        ("patients", f"{summary.patients}, of whom there are {summary.files} files"),
        ("passed over", f"{summary.passed_over} files: equal ones, or too many of a patient"),
    ]
    rows += [("quarantined", f"{n} {reason}") for reason, n in summary.quarantined.items()]
    if dry_run:
        rows += [
            ("would be quarantined", f"{file}: {refusal.reason}")
            for file, refusal in summary.refused.items()
        ]
    rows += [
        ("voters", f"{summary.voters}, named {name}"),
        ("charged", "nothing: voters stay in the vault, and only their answers are released"),
        ("vault", f"{vault} (PRIVATE: key, ledger, voters; do not release it)"),
    ]
    done = "voters, taught before" if summary.already else "voters"
    table("dry run: nothing was written" if dry_run else done, rows)
    return summary.exit_code


command = train
