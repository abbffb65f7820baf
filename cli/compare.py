"""``latentdp compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import latentdp

from ._options import (
    ClaimAucOption,
    ClaimFirstOption,
    JsonOption,
    QuickOption,
    RestartsOption,
    SeedOption,
    StepsOption,
    VerifierOption,
)
from ._render import print_json, share_progress


def compare(
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="Manifest with patient_id and split, or its folder."),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for comparison.html and .json.")
    ],
    identity_weights: Annotated[
        str, typer.Option(help="Weights whose images people are recognised on.")
    ] = "cxr-adult",
    finding_weights: Annotated[
        str, typer.Option(help="Weights whose images findings are learnt from.")
    ] = "cxr-paediatric",
    method: Annotated[
        list[str] | None, typer.Option(help="Compare only these rows. Repeatable.")
    ] = None,
    patients: Annotated[
        int, typer.Option(help="Patients of each split, for a trial; 0 for all.")
    ] = 0,
    quick: QuickOption = False,
    restarts: RestartsOption = None,
    steps: StepsOption = None,
    seed: SeedOption = 0,
    verifier: VerifierOption = "",
    auc_at_most: ClaimAucOption = 0.6,
    first_at_most: ClaimFirstOption = 0.02,
    json: JsonOption = False,
) -> None:
    """Compare the presets, rivals and controls on the same public images, attackers and seeds.

    An interrupted comparison goes on where it was when the same command is given again.
    """
    from ._evaluation_tables import comparison_table

    with share_progress("comparing", shown=not json) as progress:
        comparison, page = latentdp.compare(
            data,
            out,
            identity_weights=identity_weights,
            finding_weights=finding_weights,
            methods=method or (),
            patients=patients,
            quick=quick,
            restarts=restarts,
            steps=steps,
            seed=seed,
            verifier=verifier,
            auc_at_most=auc_at_most,
            first_at_most=first_at_most,
            progress=progress,
        )
    if json:
        print_json(comparison.to_json() | {"page": str(page)})
    else:
        comparison_table(comparison)
        typer.echo(page)


command = compare
