"""``latentdp vote``: private aggregation of teachers (PATE)."""

from __future__ import annotations

import typer

__all__ = ["ORDER", "command"]

ORDER = ("train", "answer", "combine")


def command(context: typer.Context) -> None:
    """Have teachers of different patients label public images, by votes with noise (PATE)."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
