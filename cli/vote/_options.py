"""Options of the commands that ask voters."""

from __future__ import annotations

from typing import Annotated

import typer

from .._panels import FIRST

NameOption = Annotated[
    str,
    typer.Option(
        "--name",
        help="Of the voters in the vault, which may hold several kinds.",
        rich_help_panel=FIRST,
    ),
]
