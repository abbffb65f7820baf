"""``latentdp compare``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import latentdp
from latentdp.errors import InputError

from ._central_options import (
    CentralOption,
    CnnOption,
    CohortOption,
    EpsilonOption,
    FindingOption,
    ImagesOption,
    PrivateOption,
    SeedsOption,
    SourceOption,
    WeightsOption,
    grid,
    private_grid,
    refuse_without_central,
)
from ._evaluation_options import (
    ClaimAucOption,
    ClaimFirstOption,
    QuickOption,
    RestartsOption,
    SeedOption,
    StepsOption,
    VerifierOption,
)
from ._options import JsonOption
from ._render import print_json, share_progress

if TYPE_CHECKING:
    from latentdp.private_training.comparison.measure import PrivateGrid
    from latentdp.synthesis.comparison.measure import Grid


def compare(
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", help="Manifest with patient_id and split, or its folder."),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the page and its JSON.")
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
    central: CentralOption = False,
    private: PrivateOption = False,
    finding: FindingOption = None,
    weights: WeightsOption = None,
    source: SourceOption = None,
    cohort: CohortOption = None,
    epsilon: EpsilonOption = None,
    images: ImagesOption = None,
    seeds: SeedsOption = None,
    cnn: CnnOption = False,
    json: JsonOption = False,
) -> None:
    """Compare the presets, rivals and controls on the same public images, attackers and seeds.

    With --central, all ways to a synthetic cohort; with --private, all ways to a classifier. An
    interrupted comparison goes on where it was when the same command is given again.
    """
    if central and private:
        raise InputError("give --central or --private, not both")
    if private:
        refuse_without_central(images=images, cnn=cnn)
        _private(
            data,
            out,
            weights or "cxr-adult",
            "" if source == "all" else source or "kermany",
            method or [],
            finding or "",
            private_grid(cohort, epsilon, seeds),
            json=json,
        )
        return
    refuse_without_central("--private", finding=finding)
    if central:
        _central(
            data,
            out,
            weights or "cxr-adult",
            "" if source == "all" else source or "kermany",
            method or [],
            grid(cohort, epsilon, images, seeds, cnn=cnn),
            json=json,
        )
        return
    refuse_without_central(
        "--central or --private", weights=weights, source=source, cohort=cohort,
        epsilon=epsilon, images=images, seeds=seeds, cnn=cnn,
    )  # fmt: skip
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


def _central(
    data: Path,
    out: Path,
    weights: str,
    source: str,
    methods: list[str],
    measured: Grid,
    *,
    json: bool,
) -> None:
    from ._evaluation_tables import central_table

    with share_progress("comparing", shown=not json) as progress:
        comparison, page = latentdp.compare_central(
            data,
            out,
            weights=weights,
            source=source,
            methods=methods,
            progress=progress,
            **vars(measured),
        )
    if json:
        print_json(comparison.to_json() | {"page": str(page)})
    else:
        central_table(comparison)
        typer.echo(page)


def _private(
    data: Path,
    out: Path,
    weights: str,
    source: str,
    methods: list[str],
    finding: str,
    measured: PrivateGrid,
    *,
    json: bool,
) -> None:
    from ._evaluation_tables import private_table

    with share_progress("comparing", shown=not json) as progress:
        comparison, page = latentdp.compare_private(
            data,
            out,
            weights=weights,
            source=source,
            methods=methods,
            finding=finding,
            progress=progress,
            **vars(measured),
        )
    if json:
        print_json(comparison.to_json() | {"page": str(page)})
    else:
        private_table(comparison)
        typer.echo(page)


command = compare
