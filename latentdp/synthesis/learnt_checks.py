"""That a card's numbers follow from its own noise: of one cohort, or of several sites."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import Rounds
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.release.verification.check import CALIBRATION, Check, equal, following, one_of
from latentdp.release.verification.guarantee import LONGER
from latentdp.reports.synthesis_card import CentralGuarantee, NoisyRelease, Synthesis
from latentdp.reports.synthesis_words import FAINT, HEAD, STATISTICS, STEPS, statement
from latentdp.synthesis.describe import guarantee_of, joined_guarantee, releases_of, warnings_of
from latentdp.synthesis.plan import SynthesisPlan, plan_of

__all__ = ["at_most", "learnt_checks", "same", "stated_plan"]


@following("the card of the synthesis")
def learnt_checks(synthesis: Synthesis) -> list[Check]:
    """What a card claims of what was learnt, beside what follows from the noise on it.

    Raises:
        InputError: The noise is none, or the card lists other releases.
    """
    return _joined(synthesis) if synthesis.sites else _of_cohort(synthesis)


def _of_cohort(synthesis: Synthesis) -> list[Check]:
    recipe, stated = synthesis.recipe, synthesis.guarantee
    plan = stated_plan(synthesis)
    declared = bool(recipe.declared)
    asked = plan_of(recipe)
    follows = guarantee_of(plan, secure=True)
    warnings = warnings_of(follows, faint=False, findings=synthesis.findings)
    return [
        *_noise(synthesis, asked),
        same("delta of the names", synthesis.names_delta, asked.names_delta),
        *_bounds(stated, follows),
        equal("charged to each patient", stated.charged, follows.charged, CALIBRATION),
        at_most("epsilon that was asked for", stated.charged, recipe.epsilon),
        same("noise from a secure source", stated.private, True),
        same("numerics", stated.numerics, follows.numerics),
        one_of(
            "statement",
            stated.statement,
            follows.statement,
            statement(
                plan.guarantee(Relation.REPLACE_ONE), plan.guarantee(Relation.ADD_REMOVE), LONGER
            ),
        ),
        same("not covered", stated.not_covered, follows.not_covered),
        same("warnings", [w for w in synthesis.warnings if w != FAINT], list(warnings)),
        same(
            "findings are declared ones",
            sorted(set(synthesis.findings) - set(recipe.declared)) if declared else [],
            [],
        ),
    ]


def _joined(synthesis: Synthesis) -> list[Check]:
    """Of several sites: what each claims, and that the largest is stated for all."""
    checks = []
    for site in synthesis.sites:
        checks += [
            replace(check, claim=f"site {site.name}: {check.claim}")
            for check in _of_cohort(site.synthesis)
        ]
    stated = synthesis.guarantee
    follows = joined_guarantee([site.synthesis.guarantee for site in synthesis.sites])
    keys = [site.key for site in synthesis.sites]
    warnings = warnings_of(follows, faint=False, findings=synthesis.findings)
    return [
        *checks,
        same("each site once", len(keys), len(set(keys))),
        *_bounds(stated, follows),
        equal("charged to each patient", stated.charged, follows.charged, CALIBRATION),
        same("noise from a secure source", stated.private, follows.private),
        same("numerics", stated.numerics, follows.numerics),
        same("statement", stated.statement, follows.statement),
        same("not covered", stated.not_covered, follows.not_covered),
        same("warnings", [w for w in synthesis.warnings if w != FAINT], list(warnings)),
        same(
            "findings are those of every site",
            sorted({tuple(site.synthesis.findings) for site in synthesis.sites}),
            [tuple(synthesis.findings)],
        ),
        same("releases beside those of the sites", list(synthesis.releases), []),
    ]


def _bounds(stated: CentralGuarantee, follows: CentralGuarantee) -> list[Check]:
    checks = []
    for name in ("replace_one", "add_remove"):
        claimed, derived = getattr(stated, name), getattr(follows, name)
        what = derived.relation
        checks += [
            equal(f"epsilon of a patient, {what}", claimed.epsilon, derived.epsilon, CALIBRATION),
            same(f"delta of a patient, {what}", claimed.delta, derived.delta),
            same(f"unit and relation, {what}", [claimed.unit, claimed.relation],
                 [derived.unit, derived.relation]),
        ]  # fmt: skip
    return checks


def _noise(synthesis: Synthesis, asked: SynthesisPlan) -> list[Check]:
    follows = releases_of(asked)
    kinds = [[release.what for release in releases] for releases in (synthesis.releases, follows)]
    checks = [same("kinds of releases", *kinds)]
    for claimed, derived in zip(synthesis.releases, follows, strict=False):
        checks += [
            same(f"releases of the {derived.what}", [claimed.what, claimed.rounds, claimed.grid],
                  [derived.what, derived.rounds, derived.grid]),
            equal(f"noise of the {derived.what}", claimed.scale, derived.scale, CALIBRATION),
        ]  # fmt: skip
    return checks


def stated_plan(synthesis: Synthesis) -> SynthesisPlan:
    """The plan that follows from the noise on a card.

    Raises:
        InputError: The card lists other releases.
    """
    releases = {release.what: release for release in synthesis.releases}
    order = [what for what in (STATISTICS, STEPS, HEAD) if what != STEPS or what in releases]
    if [release.what for release in synthesis.releases] != order:
        raise InputError("the card of the synthesis is of another version: other releases")
    steps = releases.get(STEPS)
    return SynthesisPlan(
        delta=synthesis.recipe.delta,
        names_delta=synthesis.names_delta,
        statistics=_mechanism(releases[STATISTICS]),
        gradients=_mechanism(releases[HEAD]),
        rounds=releases[HEAD].rounds,
        steps=None if steps is None else Rounds(_mechanism(steps), steps.rounds),
    )


def _mechanism(release: NoisyRelease) -> NoisySum:
    return NoisySum(grid=release.grid, scale=release.scale)


def same(claim: str, claimed: Any, derived: Any) -> Check:
    """That two values are equal."""
    return Check(claim=claim, claimed=claimed, found=derived, ok=claimed == derived)


def at_most(claim: str, claimed: float, limit: float) -> Check:
    """That a number is no larger than another."""
    return Check(claim=claim, claimed=claimed, found=limit, ok=claimed <= limit)
