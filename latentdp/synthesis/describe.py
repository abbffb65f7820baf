"""How a synthesis describes itself: what it cost, what was public, what touched private data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from latentdp.core import plugins
from latentdp.privacy.gaussian_accountant import Rounds
from latentdp.privacy.guarantee import Guarantee, Relation, Unit
from latentdp.reports.guarantee_words import SEEDED
from latentdp.reports.release_card_parts import CardWeights
from latentdp.reports.synthesis_card import (
    CentralGuarantee,
    NoisyRelease,
    PatientBound,
    Synthesis,
    SynthesisRecipe,
)
from latentdp.reports.synthesis_words import (
    AT_SEVERAL,
    FAINT,
    HEAD,
    NOT_COVERED,
    STATISTICS,
    STEPS,
    UNNAMED,
    WEAK,
    statement,
)
from latentdp.synthesis.head import ROUNDS
from latentdp.synthesis.plan import SynthesisPlan

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["guarantee_of", "joined_guarantee", "releases_of", "synthesis_of", "warnings_of"]


def releases_of(plan: SynthesisPlan) -> tuple[NoisyRelease, ...]:
    """All that touches private data, as a card has it."""
    kinds = {
        STATISTICS: Rounds(plan.statistics, 1),
        STEPS: plan.steps,
        HEAD: Rounds(plan.gradients, plan.rounds),
    }
    return tuple(
        NoisyRelease(
            what=what, rounds=kind.times, grid=kind.release.grid, scale=kind.release.scale
        )
        for what, kind in kinds.items()
        if kind is not None
    )


def guarantee_of(plan: SynthesisPlan, *, secure: bool) -> CentralGuarantee:
    """What a plan guarantees, under both relations; charged is the larger."""
    replace_one = plan.guarantee(Relation.REPLACE_ONE)
    add_remove = plan.guarantee(Relation.ADD_REMOVE)
    return CentralGuarantee(
        replace_one=PatientBound.of(replace_one),
        add_remove=PatientBound.of(add_remove),
        charged=max(replace_one.epsilon, add_remove.epsilon),
        private=secure,
        numerics="exact",
        statement=statement(replace_one, add_remove),
        not_covered=NOT_COVERED,
    )


def joined_guarantee(parts: Sequence[CentralGuarantee]) -> CentralGuarantee:
    """Of several cohorts that share no patient: the largest bounds hold for everybody.

    Args:
        parts: At least one.
    """
    replace_one = _largest([part.replace_one for part in parts], Relation.REPLACE_ONE)
    add_remove = _largest([part.add_remove for part in parts], Relation.ADD_REMOVE)
    return CentralGuarantee(
        replace_one=PatientBound.of(replace_one),
        add_remove=PatientBound.of(add_remove),
        charged=max(part.charged for part in parts),
        private=all(part.private for part in parts),
        numerics="exact",
        statement=statement(replace_one, add_remove),
        not_covered=(*NOT_COVERED, AT_SEVERAL),
    )


def _largest(bounds: Sequence[PatientBound], relation: Relation) -> Guarantee:
    return Guarantee(
        epsilon=max(bound.epsilon for bound in bounds),
        delta=max(bound.delta for bound in bounds),
        unit=Unit.PATIENT,
        relation=relation,
    )


def warnings_of(
    guarantee: CentralGuarantee, *, faint: bool, findings: tuple[str, ...]
) -> tuple[str, ...]:
    """What a reader must not overlook."""
    lines = {
        SEEDED: not guarantee.private,
        WEAK: guarantee.charged > 10,
        FAINT: faint,
        UNNAMED: not findings,
    }
    return tuple(line for line, holds in lines.items() if holds)


def synthesis_of(
    run: str,
    recipe: SynthesisRecipe,
    plan: SynthesisPlan,
    flow: Flow,
    *,
    findings: tuple[str, ...],
    faint: bool,
    secure: bool,
) -> Synthesis:
    """All that is said of what was learnt."""
    guarantee = guarantee_of(plan, secure=secure)
    return Synthesis(
        run=run,
        recipe=recipe,
        names_delta=plan.names_delta,
        releases=releases_of(plan),
        guarantee=guarantee,
        findings=findings,
        weights=CardWeights(
            name=flow.name,
            sha256=flow.sha256,
            training_data=flow.provenance.training_data,
            trained_on_private_data=flow.provenance.private_training,
        ),
        public=_public(recipe),
        touched=_touched(recipe),
        warnings=warnings_of(guarantee, faint=faint, findings=findings),
    )


def _public(recipe: SynthesisRecipe) -> tuple[str, ...]:
    names = "the names of the findings, by declaration of whoever ran it (--findings)"
    return (
        "the weights, with clips, scales and centres that follow from them and their own samples",
        "the method, its constants and all options; nothing was tuned on the cohort",
        "the order of magnitude of the number of patients, where delta is left to the program: "
        "it is 1e-5 up to 10,000 patients",
        *((names,) if recipe.declared else ()),
    )


def _touched(recipe: SynthesisRecipe) -> tuple[str, ...]:
    names = (
        "the names of the findings: those whose noisy count passes a threshold, which a finding "
        "of one patient alone passes with a probability within delta"
    )
    method = plugins.load("synthesis methods", recipe.method).method
    return (
        f"{STATISTICS}: counts of patients by finding, {method.measured}; once",
        *((f"{STEPS}: {method.asked}; {method.steps} times",) if method.steps else ()),
        f"{HEAD}: {ROUNDS} times",
        *(() if recipe.declared else (names,)),
    )
