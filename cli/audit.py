"""``latentdp audit``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp import InputError
from latentdp.core import plugins
from latentdp.privacy.noise import SystemNoise
from latentdp.recipe import PRESETS, Recipe

from . import _complete
from ._audit_synthesis import audit_synthesis
from ._options import JsonOption, WeightsOption
from ._render import print_json, progress

if TYPE_CHECKING:
    from latentdp.evaluation.audit_recipe import RecipeAudit
    from latentdp.privacy.audit.report import AuditReport
    from latentdp.privacy.mechanisms.base import Mechanism

LARGEST = 8  # dimensions of an example that is audited by default
LARGE_DELTA = 0.01  # at which a million draws can see something
PRESET = "balanced"
FEWEST_IMAGES = 100  # of each input: fewer bound nothing


def audit(
    mechanism: Annotated[
        list[str] | None,
        typer.Option(
            "--mechanism",
            metavar="NAME",
            help="One or more, and no preset; by default every one, and a preset.",
        ),
    ] = None,
    epsilon: Annotated[
        float | None,
        typer.Option(
            "--epsilon",
            help="Audit what a whole image would get of each mechanism at this budget, in nats, "
            "instead of small examples and a preset. With --synthesize that of a patient, 2.",
        ),
    ] = None,
    dimensions: Annotated[
        int | None,
        typer.Option("--dimensions", metavar="K", help="With --epsilon: latent dimensions, 8."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset",
            metavar="NAME",
            help="Audit the whole way from an image and its label to a release under this preset, "
            f"and no mechanism by itself; by default {PRESET} beside all mechanisms. One of: "
            f"{', '.join(PRESETS)}.",
        ),
    ] = None,
    synthesize: Annotated[
        bool,
        typer.Option(
            "--synthesize",
            help="Audit synthesize by canaries in a public cohort, and no mechanism or preset: a "
            "lower bound of mu and of epsilon, beside the claim.",
        ),
    ] = False,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            metavar="NAME",
            help="With --synthesize: of synthesis; by default gaussian.",
            autocompletion=_complete.synthesis_methods,
        ),
    ] = None,
    delta: Annotated[
        float | None, typer.Option("--delta", help="With --synthesize: by default 1e-5.")
    ] = None,
    canaries: Annotated[
        int | None,
        typer.Option(
            "--canaries", metavar="N", help="With --synthesize: guesses, at least; 2,000."
        ),
    ] = None,
    weights: WeightsOption = "cxr-adult",
    images: Annotated[
        int,
        typer.Option(
            "--images",
            metavar="N",
            help="Releases with these weights for each input of the whole way, at least 100; 0 "
            "for none.",
        ),
    ] = 150,
    trials: Annotated[
        int,
        typer.Option(
            "--trials",
            metavar="N",
            help="Draws for each input, and canaries; a fifth as many of the whole way with a "
            "flow that hides nothing.",
        ),
    ] = 100_000,
    confidence: Annotated[
        float | None,
        typer.Option(
            "--confidence",
            help="Of each lower bound; one minus the false alarms. Default: 0.999999, and 0.95 "
            "of what --synthesize tells.",
        ),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Bound from below, by experiment, what mechanisms and a preset lose, beside their claims.

    Exact enumeration where a mechanism is small, the Clopper-Pearson bound of the best event, and
    one run on many canaries; then the label's response and the whole way from an image to pixels
    and a label. Exits with 1 if anything contradicts a claim.
    """
    from latentdp.privacy.audit.best_event import CONFIDENCE

    if synthesize:
        if mechanism or preset is not None or dimensions is not None:
            raise InputError("--synthesize stands instead of --mechanism, --preset, --dimensions")
        return audit_synthesis(
            weights,
            "gaussian" if method is None else method,
            2.0 if epsilon is None else epsilon,
            1e-5 if delta is None else delta,
            canaries=canaries,
            confidence=0.95 if confidence is None else confidence,
            json=json,
        )
    if method is not None or delta is not None or canaries is not None:
        raise InputError("--method, --delta and --canaries belong to --synthesize")
    if dimensions is not None and epsilon is None:
        raise InputError("--dimensions needs --epsilon")
    if images and images < FEWEST_IMAGES:
        raise InputError(f"expected --images 0 or at least {FEWEST_IMAGES}, got {images}")
    sure = CONFIDENCE if confidence is None else confidence
    reports: list[AuditReport] = []
    whole: RecipeAudit | None = None
    if preset is None or mechanism or epsilon is not None:
        names = mechanism or [name for name, _ in plugins.usable("mechanisms")]
        cases = list(_cases(names, epsilon, 8 if dimensions is None else dimensions))
        reports = _mechanisms(cases, trials, sure, shown=not json)
    if preset is not None or not (mechanism or epsilon is not None):
        from latentdp.evaluation.audit_recipe import audit_recipe

        recipe = Recipe.from_preset(preset or PRESET, weights=weights)
        with progress(f"auditing {recipe.preset}", shown=not json) as advance:
            whole = audit_recipe(
                recipe, trials=trials, images=images, confidence=sure, advance=advance
            )
    if whole is not None and whole.response is not None:
        reports.append(whole.response)
    looks = () if whole is None else whole.looks
    if json:
        print_json([*(r.describe() for r in reports), *(look.describe() for look in looks)])
    else:
        _print(reports, whole, preset or PRESET)
    problems = [f"{r.mechanism.name}: {problem}" for r in reports for problem in r.problems]
    problems += [look.problem for look in looks if look.problem]
    for problem in problems:
        typer.echo(f"latentdp: {problem}", err=True)
    return 1 if problems else 0


def _mechanisms(
    cases: Sequence[tuple[Mechanism, float | None]],
    trials: int,
    confidence: float,
    *,
    shown: bool,
) -> list[AuditReport]:
    from latentdp.privacy.audit.report import LOOKS
    from latentdp.privacy.audit.report import audit as look

    reports: list[AuditReport] = []
    with progress("auditing mechanisms", shown=shown) as advance:
        done = 0

        def one_more_look() -> None:
            nonlocal done
            done += 1
            advance(done, LOOKS * len(cases))

        for case, delta in cases:
            reports.append(
                look(
                    case,
                    noise=SystemNoise(),
                    trials=trials,
                    confidence=confidence,
                    delta=delta,
                    looked=one_more_look,
                )
            )
    return reports


def _cases(
    names: list[str], epsilon: float | None, k: int
) -> Iterator[tuple[Mechanism, float | None]]:
    """What is audited, each at its own delta and, if it has one, at one that draws can see."""
    for name in names:
        module = plugins.load("mechanisms", name)
        if epsilon is not None:
            mechanisms = [module.mechanism.calibrate(epsilon, k)]
        else:
            mechanisms = [e for e in module.examples if e.dimensions <= LARGEST]
        for mechanism in mechanisms:
            yield mechanism, None
            if 0 < mechanism.guarantee.delta < LARGE_DELTA:
                yield mechanism, LARGE_DELTA


def _print(reports: Sequence[AuditReport], whole: RecipeAudit | None, preset: str) -> None:
    from ._audit_tables import mechanism_table, pipeline_table

    if reports:
        mechanism_table(reports)
    if whole is not None:
        pipeline_table(f"the whole way of preset {preset}: epsilon in nats", whole.looks)


command = audit
