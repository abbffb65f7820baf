"""Clauses that actions are about, and who can check an action.

DICOM PS3.15 Annex E (E.1.1 de-identifier, E.2 Basic Profile, E.3.1 to E.3.9 options), Regulation
(EU) 2016/679 and 45 CFR 164.514.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from latentdp.data.dicom.profile import Profile
from latentdp.reports.language import message
from latentdp.reports.layout import Layout
from latentdp.reports.release_card import ReleaseCard

__all__ = [
    "ACCOUNTABLE",
    "BASIC",
    "CardFacts",
    "CODES",
    "DESIGN",
    "EXPERT",
    "HEADERS",
    "IDENTIFIABLE",
    "MINIMAL",
    "NUMBERS",
    "PERSONAL",
    "PSEUDONYM",
    "SECURITY",
    "STEWARD",
    "VAULT",
    "Released",
    "held",
]

BASIC = "E.2 Basic Application Level Confidentiality Profile"
MINIMAL = "Art. 5(1)(c) data minimisation"
DESIGN = "Art. 25(1) data protection by design"
PSEUDONYM = "Art. 4(5) pseudonymisation"
SECURITY = "Art. 32(1)(a) security of processing"
IDENTIFIABLE = "Recital 26 means reasonably likely to be used"
PERSONAL = "Art. 4(1) personal data"
ACCOUNTABLE = "Art. 5(2) accountability"
EXPERT = "164.514(b)(1) expert determination"
CODES = "164.514(c) re-identification codes"
HEADERS = message("latentdp verify compares the card's list of attributes with its recipe")
NUMBERS = message("latentdp verify recomputes it from the recipe and the plan on the card")
STEWARD = message("the steward's word; nothing in the folder can show it")
VAULT = message("latentdp ledger, by whoever holds the vault")


class _StatedRecipe(Struct, frozen=True):
    """As `latentdp.reports.release_card_parts.CardRecipe`."""

    digest: str
    profile: Profile


class _StatedBlock(Struct, frozen=True):
    """As `latentdp.privacy.plan_description.BlockDescription`."""

    action: str


class _Label(Struct, frozen=True):
    """As `latentdp.privacy.plan_description.LabelDescription`."""

    release: str


class _StatedPlan(Struct, frozen=True):
    """As `latentdp.privacy.plan_description.PlanDescription`."""

    blocks: tuple[_StatedBlock, ...]
    label: _Label


class CardFacts(Struct, frozen=True, kw_only=True):
    """What of a release card its actions follow from, whatever else is on it."""

    version: str
    release: str = ""
    recipe: _StatedRecipe
    plan: _StatedPlan
    header: Mapping[str, str]
    layout: Layout = Layout.FLAT


Released: TypeAlias = ReleaseCard | CardFacts


def held(card: Released, keywords: tuple[str, ...], holds: str) -> tuple[str, ...]:
    """Those of some attributes that an output holds in this way."""
    return tuple(name for name in keywords if card.header.get(name) == holds)
