"""A release card as it comes: what all else follows from is typed, what is claimed is anything.

A claim of a wrong type does not hold; without what the others follow from there is no card.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from latentdp.core.attributes import Attribute, classes
from latentdp.privacy.plan_description import (
    AttributeDescription,
    BlockDescription,
    LabelDescription,
    PlanDescription,
)
from latentdp.reports.layout import Layout
from latentdp.reports.release_card_parts import CardAttribute

__all__ = ["ClaimedCard", "ClaimedGuarantee", "ClaimedPatient", "ClaimedPlan", "conditioning"]


class _Epsilon(Struct, frozen=True, kw_only=True):
    """Of an image or a patient, as in `latentdp.reports.card_guarantee`."""

    epsilon: Any
    reason: Any = None
    epsilon_of_noised_part: Any = None
    delta: Any
    unit: Any
    verification_auc_at_most: Any = None
    top1_at_most: Any = None


class ClaimedImage(_Epsilon, frozen=True, kw_only=True):
    """Of an image, as in `latentdp.reports.card_guarantee.ImageGuarantee`."""

    relation: Any
    private: Any
    secure: Any = None
    numerics: Any


class ClaimedPatient(_Epsilon, frozen=True, kw_only=True):
    """Of a patient, as in `latentdp.reports.card_guarantee.PatientGuarantee`."""

    images: Any
    images_in_this_release: Any
    rule: Any


class ClaimedGuarantee(Struct, frozen=True, kw_only=True):
    """As `latentdp.reports.card_guarantee.CardGuarantee`."""

    image: ClaimedImage
    image_approximate: Any
    patient: ClaimedPatient
    unprotected: Any
    statement: Any
    not_covered: Any


class ClaimedBlock(BlockDescription, frozen=True, kw_only=True):
    """A block of the plan; its guarantee follows from size and parameters alone."""

    parameters: dict[str, Any] | UnsetType = UNSET
    provider: str | UnsetType = UNSET
    temperature: Any = UNSET
    epsilon: Any


class ClaimedAttribute(AttributeDescription, frozen=True, kw_only=True):
    """Of an attribute; its guarantee follows from classes and threshold alone."""

    truth_probability: Any = UNSET
    epsilon: Any = UNSET


class ClaimedLabel(LabelDescription, frozen=True, kw_only=True):
    """The label's part of the plan; its guarantee follows from classes and threshold alone."""

    mechanism: Any = UNSET
    attributes: tuple[ClaimedAttribute, ...] | UnsetType = UNSET
    truth_probability: Any = UNSET
    epsilon: Any = UNSET


class ClaimedPlan(PlanDescription, frozen=True, kw_only=True):
    """As `latentdp.privacy.plan_description.PlanDescription`."""

    basis: Any
    blocks: tuple[ClaimedBlock, ...]
    label: ClaimedLabel


class ClaimedWeights(Struct, frozen=True, kw_only=True):
    """As `latentdp.reports.release_card_parts.CardWeights`."""

    sha256: Any
    caveats: tuple[str, ...] = ()


class ClaimedForm(Struct, frozen=True, kw_only=True):
    """As `latentdp.reports.release_card_parts.CardImage`."""

    size: Any
    made_at: Any
    chosen_among: Any = 1
    detail_drawn_at: Any = ()
    classes: Any
    attributes: tuple[CardAttribute, ...] = ()


def conditioning(form: ClaimedForm) -> tuple[Attribute, ...]:
    """What labels say; classes are one attribute without a name, and here by number only.

    Raises:
        InputError: Values of an attribute do not differ.
        TypeError: There are no classes.
    """
    if form.attributes:
        return tuple(Attribute(one.name, one.values) for one in form.attributes)
    return classes(*map(str, range(len(form.classes))))


class ClaimedCounts(Struct, frozen=True, kw_only=True):
    """As `latentdp.reports.release_card_parts.CardCounts`."""

    images_in_release: Any = None


class ClaimedCard(Struct, frozen=True, kw_only=True):
    """As `latentdp.reports.release_card.ReleaseCard`."""

    tool: Literal["latentdp"]
    status: Any = None
    private: Any
    warnings: Any
    guarantee: ClaimedGuarantee
    recipe: dict[str, Any]
    plan: dict[str, Any]
    weights: ClaimedWeights
    image: ClaimedForm
    header: Any
    claims: Any
    counts: ClaimedCounts = ClaimedCounts()
    layout: Layout
    contents_sha256: Any = ""
    splits: Any = ()
    compliance: Any = ""
    evaluation: Any = None
