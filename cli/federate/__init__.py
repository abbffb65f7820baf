"""``latentdp federate``: hospitals learn together, by one file of each."""

from __future__ import annotations

import typer

__all__ = ["ORDER", "command"]

ORDER = ("share", "combine")


def command(context: typer.Context) -> None:
    """Learn together with other hospitals, by one file of each that is private already."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
