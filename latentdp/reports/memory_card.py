"""The card of images that were made private in memory: as that of a release, without patients.

``card.json`` lies beside the images. Nothing was charged to a ledger, so nothing is said of a
patient, and `latentdp.verify` does not take it for the card of a release.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from latentdp.privacy.plan_description import PlanDescription
from latentdp.reports.card_guarantee import ApproximateGuarantee, ImageGuarantee
from latentdp.reports.guarantee_words import NOT_COVERED
from latentdp.reports.release_card_parts import CardCounts, CardImage, CardRecipe, CardWeights

__all__ = ["MEMORY_CARD", "NO_LEDGER", "MemoryCard", "MemoryGuarantee"]

MEMORY_CARD = "card.json"
NO_LEDGER = (
    "that several images show one patient, here or elsewhere: no ledger was charged; what all "
    "images of a patient cost adds up, and it was for whoever made them to add it up"
)


class MemoryGuarantee(Struct, frozen=True, kw_only=True):
    """What is guaranteed of each image, and what is not.

    Attributes:
        image: Of each image.
        image_approximate: The same as epsilon and delta.
        unprotected: What is released exactly.
        statement: In words.
        not_covered: What no guarantee is about; that nobody counted patients comes first.
    """

    image: ImageGuarantee
    image_approximate: ApproximateGuarantee
    unprotected: tuple[str, ...]
    statement: tuple[str, ...]
    not_covered: tuple[str, ...] = (NO_LEDGER, *NOT_COVERED)


class MemoryCard(Struct, frozen=True, kw_only=True):
    """All that is said in public of images that were made private in memory.

    Attributes:
        tool: ``latentdp``.
        version: Of the program.
        private: False where nothing is guaranteed.
        warnings: What a reader must not overlook.
        guarantee: What is guaranteed.
        recipe: What was to be done.
        plan: With which parameters.
        weights: Of the flow.
        image: The form of the images.
        counts: Of images.
    """

    tool: Literal["latentdp"]
    version: str
    private: bool
    warnings: tuple[str, ...]
    guarantee: MemoryGuarantee
    recipe: CardRecipe
    plan: PlanDescription
    weights: CardWeights
    image: CardImage
    counts: CardCounts
