"""``latentdp compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._options import (
    ClaimAucOption,
    ClaimFirstOption,
    JsonOption,
    QuickOption,
    RestartsOption,
    SeedOption,
    StepsOption,
    VerifierOption,
    make_effort,
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
    from latentdp.core.filesystem import write_json
    from latentdp.evaluation.compare import compare as run
    from latentdp.evaluation.compare import entries
    from latentdp.evaluation.datasets import ground
    from latentdp.reports.comparison_page import write_comparison_page
    from latentdp.reports.recognition import Thresholds

    from ._evaluation_tables import comparison_table

    thresholds = Thresholds(auc=auc_at_most, first=first_at_most)
    effort = make_effort(quick=quick, restarts=restarts, steps=steps)
    with share_progress("comparing", shown=not json) as tell:
        grounds = [
            ground("identity", data, identity_weights, limit=patients),
            ground("findings", data, finding_weights, limit=patients),
        ]
        rows = entries(grounds, method or ())
        out.mkdir(parents=True, exist_ok=True)
        found = run(
            grounds,
            rows,
            out / "parts",
            effort=effort,
            seed=seed,
            quick=quick,
            thresholds=thresholds,
            verifier=verifier,
            tell=tell,
        )
    write_json(out / "comparison.json", found.to_json())
    write_comparison_page(found, out / "comparison.html")
    if json:
        print_json(found.to_json() | {"page": str(out / "comparison.html")})
    else:
        comparison_table(found)
        typer.echo(out / "comparison.html")


command = compare
