"""Options of commands that learn from a whole cohort, and draw from what was learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp.core import plugins
from latentdp.data.dicom.profile import FORMATS

from . import _complete
from ._panels import FIRST, GUARANTEE, LABELS, LEDGER
from ._panels import IMAGES as OF_IMAGES

KIND = "synthesis methods"

LabelsOption = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        metavar="CSV",
        help="Findings by file, examination or patient, as for privatize, under any names, "
        "several separated by ;. Where headers name no patient, a column patient does.",
        rich_help_panel=FIRST,
    ),
]

EpsilonOption = Annotated[
    float,
    typer.Option(
        "--epsilon",
        help="Budget of each patient, replace-one, in nats.",
        rich_help_panel=FIRST,
    ),
]

DeltaOption = Annotated[
    float | None,
    typer.Option(
        "--delta",
        help="Default: 1e-5, or n^-1.1 for more than 10,000 patients.",
        rich_help_panel=GUARANTEE,
    ),
]

ImagesOption = Annotated[
    int,
    typer.Option(
        "--images",
        help="Images to draw; more cost nothing.",
        rich_help_panel=FIRST,
    ),
]

FindingsOption = Annotated[
    str | None,
    typer.Option(
        "--findings",
        metavar="NAMES",
        help="Names of findings that are public, separated by ;, in place of those in the "
        "table, of which rare ones are not told.",
        rich_help_panel=LABELS,
    ),
]

MethodOption = Annotated[
    str,
    typer.Option(
        "--method",
        metavar="NAME",
        autocompletion=_complete.synthesis_methods,
        help=f"One of: {', '.join(plugins.names(KIND))}.",
        rich_help_panel=GUARANTEE,
    ),
]

ImagesPerPatientOption = Annotated[
    int,
    typer.Option(
        "--images-per-patient",
        help="Images of a patient that are looked at.",
        rich_help_panel=GUARANTEE,
    ),
]

SizeOption = Annotated[
    int | None,
    typer.Option(
        "--size",
        metavar="N",
        help="Pixels on a side of an image.",
        rich_help_panel=FIRST,
    ),
]

FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="NAME",
        help=f"Of the images, one of: {', '.join(FORMATS)}. As DICOM they are Secondary "
        "Captures of patients who are nobody.",
        rich_help_panel=OF_IMAGES,
    ),
]

CandidatesOption = Annotated[
    int,
    typer.Option(
        "--candidates",
        metavar="N",
        help="Images drawn for each, of which a public critic and the head choose one; free.",
        rich_help_panel=OF_IMAGES,
    ),
]

VaultOption = Annotated[
    Path | None,
    typer.Option(
        "--vault",
        metavar="DIR",
        help="Private folder for key, ledger and reports; default one for OUT in this "
        "user's state. Use that of your releases, so that costs add up.",
        rich_help_panel=FIRST,
    ),
]

BudgetOption = Annotated[
    float | None,
    typer.Option(
        "--budget",
        metavar="EPSILON",
        help="Refuse (exit 3) if a patient would have spent more than this in the vault.",
        rich_help_panel=LEDGER,
    ),
]

DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Read everything, write nothing, show what it would cost.",
        rich_help_panel=FIRST,
    ),
]
