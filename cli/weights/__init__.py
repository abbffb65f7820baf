"""``latentdp weights``: list, show and check weights, train them, add to them."""

from __future__ import annotations

import typer

from .._options import JsonOption
from .list import list_weights

__all__ = ["ORDER", "command"]

ORDER = (
    "list",
    "show",
    "check",
    "train",
    "sharpen",
    "predict",
    "train_verifier",
    "train_detail",
    "train_refiner",
    "add_directions",
    "add_critic",
    "add_detail",
)


def command(context: typer.Context, json: JsonOption = False) -> None:
    """List, show and check weights; train your own, and add to them."""
    if context.invoked_subcommand is None:
        list_weights(json=json)
