"""Recomputes what a release card claims from the card alone.

No weights, no images and no vault are needed: the parameters of every mechanism stand on the
card, and each mechanism derives its guarantee from them. It cannot tell whether the images beside
the card were made as it says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

from latentdp.errors import InputError
from latentdp.guarantee import Guarantee
from latentdp.layout import Layout
from latentdp.plan import Plan
from latentdp.recipe import Recipe

__all__ = ["Check", "verify_card"]

TOLERANCE = 1e-9  # relative: a claim is a float that was written as decimal digits


@dataclass(frozen=True, kw_only=True)
class Check:
    """One claim of a card.

    Attributes:
        claim: What is claimed, in words.
        claimed: The value on the card.
        found: The value that follows from the rest of the card.
        ok: Whether the claim is not better than what was found.
    """

    claim: str
    claimed: Any
    found: Any
    ok: bool


def verify_card(card: dict[str, Any]) -> list[Check]:
    """All checks of a card, in the order in which it states its claims.

    Raises:
        InputError: Not a release card of this tool, or one without what the checks need.
    """
    if not isinstance(card, dict) or card.get("tool") != "latentdp":
        raise InputError("expected a release card of latentdp (release.json)")
    try:
        plan = Plan.from_card(card["plan"])
        return _image(card, plan) + _implied(card, plan) + _patient(card) + _recipe(card, plan)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError("the release card is incomplete or of another version") from error


def _image(card: dict[str, Any], plan: Plan) -> list[Check]:
    told, approximate = card["guarantee"]["image"], card["guarantee"]["image_approximate"]
    found = plan.guarantee
    loose = plan.approximate(approximate["delta"]) if plan.guarantee.delta == 0 else None
    checks = [
        _at_least("epsilon of an image", told["epsilon"], found.epsilon),
        _at_least("delta of an image", told["delta"], found.delta),
        _equal(
            "unit and relation", (told["unit"], told["relation"]), (found.unit, found.relation)
        ),
        _equal("numerics", told["numerics"], "exact" if found.exact else "idealised"),
        _equal("unprotected", card["guarantee"]["unprotected"], list(plan.unprotected)),
        Check(
            claim="noise from a secure source",
            claimed=card["private"],
            found=told["private"],
            ok=card["private"] is True and told["private"] is True,
        ),
    ]
    if loose is not None:
        claim = f"epsilon at delta {approximate['delta']:g}"
        checks.insert(2, _at_least(claim, approximate["epsilon"], loose.epsilon, 1e-6))
    return checks


def _implied(card: dict[str, Any], plan: Plan) -> list[Check]:
    """The ceilings on attackers: none is stated where something is unprotected or names tell."""
    told = card["guarantee"]["image"]
    top1 = told["top1_at_most"]
    auc: float | None = None
    rate: float | None = None
    if not plan.unprotected and card.get("layout") != Layout.MIRROR:
        auc = plan.guarantee.verification_ceiling()
        rate = plan.guarantee.gallery_ceiling(top1["gallery"])
    return [
        _same_or_none("largest AUC of a verifier", told["verification_auc_at_most"], auc),
        _same_or_none(f"largest top-1 rate in {top1['gallery']:,}", top1["rate"], rate),
    ]


def _patient(card: dict[str, Any]) -> list[Check]:
    """A sum over images; other releases may have cost less, so only a lower bound is known."""
    image, patient = card["guarantee"]["image"], card["guarantee"]["patient"]
    return [
        _at_least("epsilon of a patient", patient["epsilon"], image["epsilon"]),
        _at_least("delta of a patient", patient["delta"], image["delta"]),
    ]


def _recipe(card: dict[str, Any], plan: Plan) -> list[Check]:
    told = card["recipe"]
    names = {f.name for f in fields(Recipe)} - {"weights"}
    recipe = Recipe(weights="", **{name: told[name] for name in names})
    budget = Guarantee(epsilon=recipe.epsilon)
    return [
        _equal("digest of the recipe", told["digest"], recipe.digest),
        _equal("weights", card["weights"]["sha256"], recipe.weights_sha256),
        _at_least("budget of the recipe", budget.epsilon, plan.guarantee.epsilon),
    ]


def _at_least(claim: str, claimed: float, found: float, tolerance: float = TOLERANCE) -> Check:
    ok = math.isfinite(claimed) and claimed >= found * (1 - tolerance)
    return Check(claim=claim, claimed=claimed, found=found, ok=ok)


def _equal(claim: str, claimed: Any, found: Any) -> Check:
    return Check(claim=claim, claimed=claimed, found=found, ok=claimed == found)


def _same_or_none(claim: str, claimed: float | None, found: float | None) -> Check:
    if claimed is None or found is None:
        return Check(claim=claim, claimed=claimed, found=found, ok=claimed is found)
    return Check(claim=claim, claimed=claimed, found=found, ok=claimed >= found * (1 - TOLERANCE))
