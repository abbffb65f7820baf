"""``latentdp audit --synthesize``."""

from __future__ import annotations

import typer

from latentdp.core import plugins
from latentdp.errors import InputError
from latentdp.privacy.noise import SystemNoise

from ._render import print_json, progress


def audit_synthesis(
    weights: str,
    method: str,
    epsilon: float,
    delta: float,
    *,
    canaries: int | None,
    confidence: float,
    json: bool,
) -> int:
    """Runs canaries through a plan of this budget; 1 if a bound contradicts the claim."""
    from latentdp.models.flow.flow import load_flow
    from latentdp.synthesis.evaluation.canaries import CANARIES, audit_plan
    from latentdp.synthesis.plan import SynthesisPlan
    from latentdp.synthesis.public import PublicModel

    from ._synthetic_tables import canary_table

    if canaries is not None and canaries < 1:
        raise InputError(f"expected --canaries of at least 1, got {canaries}")
    if not 0 < confidence < 1:
        raise InputError(f"expected --confidence in (0, 1), got {confidence}")
    steps = plugins.load("synthesis methods", method).method.steps
    plan = SynthesisPlan.calibrate(epsilon, delta, declared=True, steps=steps)
    public = PublicModel.of(load_flow(weights, exact=False))
    with progress(f"auditing {method}", shown=not json) as advance:
        audit = audit_plan(
            public,
            method,
            plan,
            noise=SystemNoise(),
            canaries=CANARIES if canaries is None else canaries,
            confidence=confidence,
            progress=advance,
        )
    if json:
        print_json(audit)
    else:
        canary_table(audit)
    if audit.problem:
        typer.echo(f"latentdp: {audit.problem}", err=True)
    return 1 if audit.refuted else 0
