"""Options of a run that releases: vault, budget, what lies in OUT, processes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp.reports.language import LANGUAGES
from latentdp.reports.layout import Layout

from ._panels import FIRST, LEDGER, OUTPUT, RUN

VaultOption = Annotated[
    Path | None,
    typer.Option(
        "--vault",
        metavar="DIR",
        help="Private folder for key, ledger and reports; by default one for OUT in this "
        "user's state, which is shown. Use one vault for all releases of a project.",
        rich_help_panel=FIRST,
    ),
]
BudgetOption = Annotated[
    float | None,
    typer.Option(
        "--budget",
        metavar="EPSILON",
        help="Refuse (exit 3) if a patient would have spent more than this in the vault; "
        "a cap set by latentdp ledger holds too.",
        rich_help_panel=LEDGER,
    ),
]
BudgetDeltaOption = Annotated[
    float | None,
    typer.Option(
        "--budget-delta",
        metavar="DELTA",
        help="The same for the sum of a patient's deltas. A sum of 1 is always refused.",
        rich_help_panel=LEDGER,
    ),
]
AcceptUnprotectedOption = Annotated[
    bool,
    typer.Option(
        "--accept-unprotected",
        help="Let budget and cap bound what is noised alone. Without it they refuse every "
        "patient of whom something is, or was in an earlier release, released exactly: "
        "epsilon is infinity then.",
        rich_help_panel=LEDGER,
    ),
]
LayoutOption = Annotated[
    Layout,
    typer.Option(
        "--layout",
        help="How images lie in OUT: flat (random names), study (folders of pseudonyms), "
        "class (folders of released labels) or mirror (named as in IN, which may tell who it "
        "is).",
        rich_help_panel=OUTPUT,
    ),
]
WorkersOption = Annotated[
    int,
    typer.Option(
        "--workers",
        help="Processes to use.",
        rich_help_panel=RUN,
    ),
]
ExactOption = Annotated[
    bool,
    typer.Option(
        "--exact",
        help="Compute networks in float32 even where bfloat16 is faster; the guarantee is "
        "the same.",
        rich_help_panel=RUN,
    ),
]
LedgerOption = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        metavar="URL",
        help="Database of the ledger, postgresql://USER@HOST/NAME or sqlite:///FILE; the vault "
        "remembers it. Default: a file in the vault.",
        rich_help_panel=LEDGER,
    ),
]
SplitsOption = Annotated[
    str,
    typer.Option(
        "--splits",
        metavar="TRAIN,VAL,TEST",
        help="Percentages of patients for each split in metadata.csv; nobody is in two.",
        rich_help_panel=OUTPUT,
    ),
]
ParquetOption = Annotated[
    bool,
    typer.Option(
        "--parquet",
        help='Write the rows of metadata.csv as release.parquet, too; needs "latentdp[parquet]".',
        rich_help_panel=OUTPUT,
    ),
]
LanguageOption = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="CODE",
        help=f"Of the public page: {', '.join(LANGUAGES)}. English unless asked, wherever it is "
        "made, so that everybody makes the same page again. Cards and commands stay English.",
    ),
]
