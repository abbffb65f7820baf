"""``latentdp report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._run_options import LanguageOption


def report(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="Folder of a release or a synthesis.")
    ],
    language: LanguageOption = None,
) -> None:
    """Make the public page (release.html) again, from the card and the images beside it."""
    from latentdp.reports.release_page import write_public_page

    typer.echo(write_public_page(out, language))


command = report
