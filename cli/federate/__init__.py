"""``latentdp federate``: hospitals learn together, by files."""

from __future__ import annotations

import typer

__all__ = ["ORDER", "command"]

ORDER = ("share", "combine", "ask", "answer")


def command(context: typer.Context) -> None:
    """Learn together with other hospitals, by files that are private already."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
