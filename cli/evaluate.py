"""``latentdp evaluate``."""

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


def evaluate(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The folder of originals.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The release made of it.")],
    vault: Annotated[
        Path | None,
        typer.Option(
            "--vault",
            metavar="DIR",
            help="Vault of the release; by default that for OUT in this user's state.",
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs",
            metavar="CSV",
            help="For a release of any other method: columns original (below IN), private (below "
            "OUT), patient, and where known finding, sex, age, view, source, split (practice or "
            "target).",
        ),
    ] = None,
    about: Annotated[
        Path | None,
        typer.Option(
            "--about",
            metavar="CSV",
            help="What is known of each input: column file (below IN) and any of patient, "
            "finding, label, sex, age, view, source. It outranks the headers.",
        ),
    ] = None,
    attacker: Annotated[
        Path | None,
        typer.Option(
            "--attacker",
            metavar="DATA",
            help="Public images of other patients (manifest with patient_id) for the attacker to "
            "practise on; without it half of the release's patients are used for that.",
        ),
    ] = None,
    claimed_epsilon: Annotated[
        float | None,
        typer.Option(
            "--claimed-epsilon",
            help="With --pairs: what is claimed for a whole image; an attack above the ceiling "
            "that it implies refutes it.",
        ),
    ] = None,
    claimed_delta: Annotated[
        float, typer.Option("--claimed-delta", help="With --claimed-epsilon.")
    ] = 0.0,
    size: Annotated[
        int, typer.Option("--size", help="With --pairs: pixels on a side to compare at.")
    ] = 64,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="DIR",
            help="Private folder for evaluation.html and .json; default VAULT/evaluation, or "
            "OUT.evaluation with --pairs.",
        ),
    ] = None,
    images: Annotated[
        int,
        typer.Option(
            "--images",
            help="Images of the release that are looked at, at most about; whole patients, drawn "
            "at random.",
        ),
    ] = 2000,
    quick: QuickOption = False,
    restarts: RestartsOption = None,
    steps: StepsOption = None,
    seed: SeedOption = 0,
    verifier: VerifierOption = "",
    auc_at_most: ClaimAucOption = 0.6,
    first_at_most: ClaimFirstOption = 0.02,
    json: JsonOption = False,
) -> None:
    """Attack a release as an adversary would, and measure what it is still good for.

    Exit codes: 0 done, 2 wrong usage, 6 an attack refuted the claimed guarantee.
    """
    from ._evaluation_tables import evaluation_tables

    with share_progress("evaluating", shown=not json) as progress:
        evaluation, page = latentdp.evaluate(
            source,
            out,
            vault=vault,
            about=about,
            attacker=attacker,
            images=images,
            pairs=pairs,
            claimed_epsilon=claimed_epsilon,
            claimed_delta=claimed_delta,
            size=size,
            report=report,
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
        print_json(evaluation.to_json() | {"page": str(page)})
    else:
        evaluation_tables(evaluation)
        typer.echo(page)
    if evaluation.verdict.refuted:
        raise latentdp.Refuted(evaluation.verdict.lines[0])


command = evaluate
