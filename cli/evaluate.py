"""``latentdp evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import latentdp

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


def evaluate(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help="The folder of originals, or what was given to synthesize."
        ),
    ],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="The release, or the synthetic data set, made of it; or a site's file of "
            "federate share, before it is sent.",
        ),
    ],
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
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="CSV",
            help="Findings of each input, in a list as privatize takes it; an image may show "
            "several, with ; between them. Says what readers are asked for.",
        ),
    ] = None,
    label_map: Annotated[
        Path | None,
        typer.Option(
            "--label-map",
            metavar="CSV",
            help="With --labels: columns from (your name of a finding) and to (that of the "
            "weights), as for privatize.",
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
    test: Annotated[
        Path | None,
        typer.Option(
            "--test",
            metavar="FOLDER|CSV",
            help="For a synthetic data set: labelled images of patients who were not learnt from; "
            "a folder (with --test-labels, or with manifest.csv), or a table of files.",
        ),
    ] = None,
    test_labels: Annotated[
        Path | None,
        typer.Option(
            "--test-labels", metavar="CSV", help="Findings of the folder that --test names."
        ),
    ] = None,
    weights: Annotated[
        str,
        typer.Option(
            "--weights",
            metavar="NAME|FILE",
            help="For a synthetic data set: its public weights, if they are not shipped.",
        ),
    ] = "",
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="DIR",
            help="Private folder for evaluation.html and .json; default VAULT/evaluation, with "
            "--pairs too: in this user's state, and not beside OUT.",
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

    The same of a data set that synthesize made, or of a site's file. Exit codes: 0 done, 2 wrong
    usage, 6 an attack refuted the claimed guarantee.
    """
    from latentdp.federation.site_file import is_site
    from latentdp.reports.synthesis_card import SynthesisCard

    from ._evaluation_tables import evaluation_tables

    if is_site(out) or SynthesisCard.find(out) is not None:
        of_releases = (pairs, about, label_map, attacker, claimed_epsilon, restarts, steps)
        if any(option is not None for option in of_releases):
            raise latentdp.InputError(
                "OUT is a synthetic data set, or a site's file: --pairs, --about, --label-map, "
                "--attacker, --claimed-epsilon, --restarts and --steps are about releases of "
                "single images"
            )
        _evaluate_synthesis(
            source,
            out,
            labels=labels,
            test=test,
            test_labels=test_labels,
            vault=vault,
            weights=weights,
            report=report,
            images=images,
            quick=quick,
            seed=seed,
            verifier=verifier,
            json=json,
        )
        return
    if test is not None or test_labels is not None or weights:
        raise latentdp.InputError(
            "--test, --test-labels and --weights are for synthetic data sets and files of sites"
        )
    with share_progress("evaluating", shown=not json) as progress:
        evaluation, page = latentdp.evaluate(
            source,
            out,
            vault=vault,
            about=about,
            labels=labels,
            label_map=label_map,
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


def _evaluate_synthesis(source: Path, out: Path, *, json: bool, **options: Any) -> None:
    from latentdp.federation.site_file import is_site

    from ._synthetic_tables import synthetic_tables

    evaluate_learnt = latentdp.evaluate_site if is_site(out) else latentdp.evaluate_synthesis
    with share_progress("evaluating", shown=not json) as progress:
        evaluation, page = evaluate_learnt(source, out, progress=progress, **options)
    if json:
        print_json(evaluation.to_json() | {"refuted": evaluation.refuted, "page": str(page)})
    else:
        synthetic_tables(evaluation)
        typer.echo(page)
    if evaluation.refuted:
        raise latentdp.Refuted(evaluation.refuting[0])


command = evaluate
