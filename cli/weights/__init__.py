"""``latentdp weights``: list, show and check weights, train them, add to them."""

from __future__ import annotations

from collections.abc import Callable

import typer

from ..options import JsonOption
from .add_critic import add_critic
from .add_detail import add_detail
from .add_directions import add_directions
from .check import check
from .list import list_weights
from .show import show
from .train import train
from .train_detail import train_detail
from .train_verifier import train_verifier

__all__ = ["OLD_NAMES", "weights"]

weights = typer.Typer(help="List, show and check weights; train your own, and add to them.")
weights.command("list")(list_weights)
weights.command()(show)
weights.command()(check)
weights.command()(train)
weights.command()(train_verifier)
weights.command()(train_detail)
weights.command()(add_directions)
weights.command()(add_critic)
weights.command()(add_detail)

# What they were called in 0.1, at the top; understood for one version more.
OLD_NAMES: dict[str, Callable[..., None]] = {
    "train": train,
    "train-verifier": train_verifier,
    "train-detail": train_detail,
    "directions": add_directions,
    "critic": add_critic,
    "detail": add_detail,
}


@weights.callback(invoke_without_command=True)
def listing(context: typer.Context, json: JsonOption = False) -> None:
    """List, show and check weights; train your own, and add to them."""
    if context.invoked_subcommand is None:
        list_weights(json=json)
