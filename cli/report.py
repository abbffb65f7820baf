"""``latentdp report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Release folder.")],
) -> None:
    """Make the public page of a release (release.html) again, from its card and its images."""
    from latentdp.reports.release_page import write_release_page

    typer.echo(write_release_page(out))


command = report
