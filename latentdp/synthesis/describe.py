"""How a synthesis describes itself: what it cost, what was public, what touched private data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentdp.privacy.guarantee import Guarantee, Relation
from latentdp.reports.release_card_parts import CardWeights
from latentdp.reports.synthesis_card import (
    CentralGuarantee,
    NoisyRelease,
    PatientBound,
    Synthesis,
    SynthesisRecipe,
)
from latentdp.synthesis.head import ROUNDS
from latentdp.synthesis.plan import SynthesisPlan

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = [
    "FAINT",
    "STATISTICS",
    "HEAD",
    "guarantee_of",
    "releases_of",
    "synthesis_of",
    "warnings_of",
]

STATISTICS = "sum of the patients' joint records"
HEAD = "sum of the patients' clipped gradients of the head"

NOT_COVERED = (
    "that two identifiers are one patient, or that one image stands under two patients",
    "patients of this cohort whom the public weights have seen in training",
    "that a statement about all patients like these may be true of one of them",
    "what else was released of a patient, from this vault or another: all figures are of this "
    "synthesis alone",
    "how many images there are here: any number is drawn from what was learnt",
    "what a reader of this computer's memory, timing or disk could learn during the run",
)
FAINT = (
    "FAINT: the noisy number of patients is below ten times the deviation of its noise; at this "
    "epsilon the images show little of the cohort"
)
SEEDED = "NOT PRIVATE: the noise came from a seed"
UNNAMED = (
    "UNLABELLED: no finding had enough patients to be named; give a larger epsilon, or declare "
    "names that are public (--findings)"
)
WEAK = "WEAK: epsilon is above 10; a patient's part in the cohort is hardly protected"


def releases_of(plan: SynthesisPlan) -> tuple[NoisyRelease, ...]:
    """All that touches private data, as a card has it."""
    return (
        NoisyRelease(
            what=STATISTICS, rounds=1, grid=plan.statistics.grid, scale=plan.statistics.scale
        ),
        NoisyRelease(
            what=HEAD, rounds=plan.rounds, grid=plan.gradients.grid, scale=plan.gradients.scale
        ),
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


def statement(replace_one: Guarantee, add_remove: Guarantee) -> tuple[str, ...]:
    """The guarantee in words."""
    return (
        "Whatever was learnt, images, labels and generator together: any two cohorts in which "
        "another patient with all of their images and findings stands in the place of one are "
        f"indistinguishable up to {replace_one}.",
        f"Two cohorts with a patient and without: up to {add_remove}.",
        "Drawing more images costs nothing.",
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
    return (
        f"{STATISTICS}: counts of patients by finding, sums and mean squares of coarse latents; "
        "once",
        f"{HEAD}: {ROUNDS} times",
        *(() if recipe.declared else (names,)),
    )
