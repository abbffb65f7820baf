"""Options of the attackers, which evaluations and comparisons share."""

from __future__ import annotations

from typing import Annotated

import typer

from . import _complete

QuickOption = Annotated[
    bool, typer.Option("--quick", help="A first look in minutes; it supports no claim.")
]
RestartsOption = Annotated[
    int | None,
    typer.Option("--restarts", help="Of the adaptive verifier; mean and maximum are reported."),
]
StepsOption = Annotated[int | None, typer.Option("--steps", help="Of the optimiser, per restart.")]
SeedOption = Annotated[
    int, typer.Option("--seed", help="Of the attackers; the same seed gives the same report.")
]
VerifierOption = Annotated[
    str,
    typer.Option(
        "--verifier",
        metavar="NAME|FILE",
        help="Weights of the verifier to start from; by default the shipped one that fits.",
        autocompletion=_complete.verifiers,
    ),
]
ClaimAucOption = Annotated[
    float,
    typer.Option(
        "--auc-at-most", help="Claim removed features only up to this AUC (upper end, maximum)."
    ),
]
ClaimFirstOption = Annotated[
    float,
    typer.Option(
        "--first-at-most", help="And only up to this share of originals named first (upper end)."
    ),
]
