"""Options that the commands share that make weights, and what they all refuse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp import InputError

from ._panels import FIRST

if TYPE_CHECKING:
    from latentdp.models.checkpoints import Checkpoint

TrainedOnArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Public images that the weights were trained on: manifest or folder.",
    ),
]
SourceOption = Annotated[
    list[str] | None,
    typer.Option(help="Keep only these sources of a manifest. Repeatable.", rich_help_panel=FIRST),
]
MinutesOption = Annotated[
    float, typer.Option(help="Length of the run; 0 for no limit.", rich_help_panel=FIRST)
]
StepsOption = Annotated[
    int, typer.Option(help="Optimiser steps; 0 for no limit.", rich_help_panel=FIRST)
]
SeedOption = Annotated[
    int, typer.Option(help="Seed of the training; not of any release.", rich_help_panel=FIRST)
]
ThreadsOption = Annotated[
    int, typer.Option(help="Processor cores; 0 for all.", rich_help_panel=FIRST)
]
NoteOption = Annotated[
    str, typer.Option(help="Training data and licence, for the model card.", rich_help_panel=FIRST)
]
PrivateDataOption = Annotated[
    bool,
    typer.Option(
        "--private-data", help="Mark the card: trained on private images.", rich_help_panel=FIRST
    ),
]


def marked(checkpoint: Checkpoint, private_data: bool) -> Checkpoint:
    """The weights, whose card says that they saw private images if it is told so."""
    from dataclasses import replace

    from msgspec import structs

    if not private_data:
        return checkpoint
    card = structs.replace(checkpoint.card, private_training=True)
    return replace(checkpoint, card=card)


def weights_file(out: Path) -> None:
    """Refuses another suffix than that of weights.

    Raises:
        InputError: Another.
    """
    if out.suffix != ".safetensors":
        raise InputError("expected --out to end in .safetensors")


def begun_with(begun: Checkpoint | None) -> str:
    """What a run began with, for a public card: no path, which may be private."""
    if begun is None:
        return "random weights"
    data = begun.card.training_data or "not stated"
    told = begun.card.training
    shown = f"; {told.images_shown:,} images shown" if told and told.images_shown else ""
    return f"weights sha256 {begun.sha256}, trained on: {data}{shown}"
