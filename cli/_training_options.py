"""Options that the commands share that make weights, and what they all refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp import InputError

TrainedOnArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Public images that the weights were trained on: manifest or folder.",
    ),
]
SourceOption = Annotated[
    list[str] | None, typer.Option(help="Keep only these sources of a manifest. Repeatable.")
]
MinutesOption = Annotated[float, typer.Option(help="Length of the run; 0 for no limit.")]
StepsOption = Annotated[int, typer.Option(help="Optimiser steps; 0 for no limit.")]
SeedOption = Annotated[int, typer.Option(help="Seed of the training; not of any release.")]
ThreadsOption = Annotated[int, typer.Option(help="Processor cores; 0 for all.")]
NoteOption = Annotated[str, typer.Option(help="Training data and licence, for the model card.")]
PrivateDataOption = Annotated[
    bool, typer.Option("--private-data", help="Mark the card: trained on private images.")
]


def weights_file(out: Path) -> None:
    """Refuses another suffix than that of weights.

    Raises:
        InputError: Another.
    """
    if out.suffix != ".safetensors":
        raise InputError("expected --out to end in .safetensors")
