"""``latentdp evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from latentdp import InputError, Refuted

from .options import (
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
from .render import print_json, share_progress

QUICK_PRACTICE = 1500  # of the attacker's images, in a first look


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
    from latentdp.evaluation.evaluate import evaluate as run
    from latentdp.evaluation.load_release import of_another_method, of_ours
    from latentdp.evaluation.write_evaluation import write_evaluation
    from latentdp.privacy.guarantee import Guarantee
    from latentdp.release.folders import default_vault
    from latentdp.reports.recognition import Thresholds

    from .evaluation_tables import evaluation_tables

    if pairs is None and (claimed_epsilon is not None or size != 64):
        raise InputError("--claimed-epsilon and --size belong to --pairs")
    if claimed_epsilon is None and claimed_delta:
        raise InputError("--claimed-delta belongs to --claimed-epsilon")
    if pairs is not None and (about, attacker, vault) != (None, None, None):
        raise InputError("--pairs stands instead of --vault, --about and --attacker")
    thresholds = Thresholds(auc=auc_at_most, first=first_at_most)
    effort = make_effort(quick=quick, restarts=restarts, steps=steps)
    if images < 2:
        raise InputError(f"expected --images of at least 2, got {images}")
    if pairs is None:
        private = vault if vault is not None else default_vault(out)
        default = private / "evaluation"
    else:
        default = Path(f"{out.resolve()}.evaluation")
    folder = report if report is not None else default
    for place in (source, out):
        if place.resolve() in (folder.resolve(), *folder.resolve().parents):
            raise InputError("the report shows originals: it must not lie in IN or OUT")
    with share_progress("evaluating", shown=not json) as tell:
        drawn: dict[str, Any] = {"most": images, "seed": seed, "tell": tell}
        if pairs is None:
            release = of_ours(
                source,
                out,
                private,
                about=about,
                attacker=attacker,
                practice=QUICK_PRACTICE if quick else 0,
                **drawn,
            )
        else:
            claimed = (
                None
                if claimed_epsilon is None
                else Guarantee(epsilon=claimed_epsilon, delta=claimed_delta)
            )
            release = of_another_method(source, out, pairs, size=size, claimed=claimed, **drawn)
        found, scene = run(
            release,
            folder / "parts",
            effort=effort,
            seed=seed,
            quick=quick,
            thresholds=thresholds,
            verifier=verifier,
            tell=tell,
        )
        page = write_evaluation(found, scene, folder, card_of=out if pairs is None else None)
    if json:
        print_json(found.to_json() | {"page": str(page)})
    else:
        evaluation_tables(found)
        typer.echo(page)
    if found.verdict.refuted:
        raise Refuted(found.verdict.lines[0])
