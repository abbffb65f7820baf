"""Recomputes what a release card claims from the card alone.

No weights, no images and no vault are needed. The recipe on the card, whose digest every output
carries, says what was to be done; the plan says with which parameters; the guarantee follows from
these, and everything else that the card claims from the guarantee. It cannot tell whether the
images beside the card were made as it says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from msgspec import UNSET, Struct

from latentdp.core.documents import from_json, read_json, to_json
from latentdp.data.dicom.attributes import attributes
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee, Unit
from latentdp.privacy.mechanisms.base import number
from latentdp.privacy.plan import Action, Plan
from latentdp.privacy.plan_description import PlanDescription
from latentdp.privatizer import make_plan
from latentdp.recipe import ALL, Recipe
from latentdp.reports.card_guarantee import (
    ApproximateGuarantee,
    ImageGuarantee,
    PatientGuarantee,
)
from latentdp.reports.guarantee_words import NOT_COVERED, sentences, warnings
from latentdp.reports.layout import Layout
from latentdp.reports.release_card import CARD
from latentdp.reports.release_card_parts import CardRecipe

__all__ = ["Check", "Verification", "verify", "verify_card"]

TOLERANCE = 1e-9  # relative: a claim is a float that was written as decimal digits
CALIBRATION = 1e-6  # relative: of what was searched for numerically, perhaps on another machine


@dataclass(frozen=True, kw_only=True)
class Check:
    """One claim of a card.

    Attributes:
        claim: What is claimed, in words.
        claimed: The value on the card.
        found: The value that follows from the rest of the card.
        ok: Whether they agree.
    """

    claim: str
    claimed: Any
    found: Any
    ok: bool


class _Epsilon(Struct, frozen=True, kw_only=True):
    """What a card claims of an image or a patient. These are in doubt: any JSON value."""

    epsilon: Any
    reason: Any = None
    epsilon_of_noised_part: Any = None
    delta: Any
    unit: Any
    verification_auc_at_most: Any = None
    top1_at_most: Any = None


class _ClaimedImage(_Epsilon, frozen=True, kw_only=True):
    relation: Any
    private: Any
    secure: Any = None
    numerics: Any


class _ClaimedPatient(_Epsilon, frozen=True, kw_only=True):
    images: Any
    images_in_this_release: Any
    rule: Any


class _ClaimedGuarantee(Struct, frozen=True, kw_only=True):
    image: _ClaimedImage
    image_approximate: Any
    patient: _ClaimedPatient
    unprotected: Any
    statement: Any
    not_covered: Any


class _ClaimedWeights(Struct, frozen=True, kw_only=True):
    sha256: Any


class _ClaimedForm(Struct, frozen=True, kw_only=True):
    """Of the images; what the guarantee follows from is no doubt a number."""

    size: Any
    made_at: tuple[int, int]
    chosen_among: Any = 1
    detail_drawn_at: tuple[Any, ...] = ()
    classes: tuple[Any, ...]


class _ClaimedCard(Struct, frozen=True, kw_only=True):
    """A card as it comes: what all follows from is typed, what is claimed may be anything."""

    tool: Literal["latentdp"]
    private: Any
    warnings: Any
    guarantee: _ClaimedGuarantee
    recipe: CardRecipe
    plan: Any
    weights: _ClaimedWeights
    image: _ClaimedForm
    header: Any
    claims: Any
    layout: Layout


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What became of the claims of a release card.

    Attributes:
        checks: All that were checked, in the order in which one follows from the other.
        warnings: Those of the card, for a reader.
    """

    checks: tuple[Check, ...]
    warnings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether all claims hold."""
        return all(check.ok for check in self.checks)


def verify(release: str | Path) -> Verification:
    """Recomputes what a release claims from the recipe and the parameters on its card.

        >>> import latentdp
        >>> _ = latentdp.privatize_folder("samples/cxr/clinic-a", "release")
        >>> latentdp.verify("release").ok
        True

    Args:
        release: The release folder, or its ``release.json``.

    Raises:
        InputError: There is no release card of this tool, or it lacks what the checks need.
    """
    path = Path(release)
    card = read_json(path / CARD if path.is_dir() else path, "a release card")
    checks = tuple(verify_card(card))
    stated = card.get("warnings") if isinstance(card, dict) else None
    lines = stated if isinstance(stated, list) else []
    return Verification(checks=checks, warnings=tuple(map(str, lines)))


def verify_card(card: object) -> list[Check]:
    """All checks of a card, in the order in which one follows from the other.

    Args:
        card: JSON values of ``release.json``, whoever wrote them.

    Raises:
        InputError: Not a release card of this tool, or one without what the checks need.
    """
    if not isinstance(card, dict) or card.get("tool") != "latentdp":
        raise InputError("expected a release card of latentdp (release.json)")
    claimed = from_json(card, _ClaimedCard, "the release card")
    try:
        described = from_json(claimed.plan, PlanDescription, "the plan of the release card")
        plan, recipe = Plan.from_card(described), _recipe_of(claimed.recipe)
        return [
            *_recipe(claimed, described, plan, recipe),
            *_guarantee(claimed, plan, recipe),
        ]
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise InputError("the release card is incomplete or of another version") from error
    except RecursionError:
        raise InputError("the release card is nested too deeply") from None


def _recipe_of(stated: CardRecipe) -> Recipe:
    record = to_json(stated)
    del record["digest"]
    return Recipe.from_record(record | {"weights": ""})


def _recipe(
    card: _ClaimedCard, described: PlanDescription, plan: Plan, recipe: Recipe
) -> list[Check]:
    """The recipe, and that the plan is the one that the recipe asks for."""
    d, classes = plan.d, len(card.image.classes)
    # Which directions makes no difference to a guarantee; how many does.
    most = recipe.keep_label_dims + (0 if recipe.directions == ALL else recipe.directions)
    # Of identity there may be fewer than asked for; the plan says how many.
    resampled = sum(b.size for b in plan.blocks if b.action is Action.RESAMPLE)
    rows = np.eye(min(most + min(resampled, recipe.resample_identity), d), d)
    wanted = make_plan(recipe, d=d, directions=rows[:most], classes=classes, identity=rows[most:])
    height, width = card.image.made_at
    drawn, among = card.image.detail_drawn_at, card.image.chosen_among
    follows = plan.describe()
    return [
        _equal("digest of the recipe", card.recipe.digest, recipe.digest),
        _equal("weights", card.weights.sha256, recipe.weights_sha256),
        _equal("claims", card.claims, to_json(recipe.profile.claims)),
        _equal("attributes of an output", card.header, to_json(attributes(recipe.profile))),
        _equal("size of an output", card.image.size, [recipe.profile.size or height] * 2),
        _equal("drawn detail", drawn, _doublings(len(drawn), height, recipe)),
        _equal("candidates", among, recipe.candidates if among != 1 else 1),
        _equal("latent dimensions", described.latent_dimensions, height * width),
        _equal(
            "plan of the recipe", _outline(described), _outline(wanted.describe()), CALIBRATION
        ),
        _equal(
            "numbers of the plan",
            [_numbers(described), card.plan["label"]],
            [_numbers(follows), to_json(follows.label)],
        ),
    ]


def _doublings(count: int, side: int, recipe: Recipe) -> list[int]:
    """Sizes that so many octaves lead to; fewer where the recipe asks for less."""
    if not recipe.profile.detail:
        return []
    sizes = [side * 2 ** (i + 1) for i in range(min(count, 16))]
    return [size for size in sizes if size < 2 * (recipe.profile.size or side)]


def _guarantee(card: _ClaimedCard, plan: Plan, recipe: Recipe) -> list[Check]:
    """Of an image and of a patient, with noise that is said to be from a secure source."""
    told, passed_on = card.guarantee, recipe.unprotected + card.layout.unprotected
    image = plan.guarantee.beside(*passed_on)
    patient = _claimed_patient(told.patient, image)
    return [
        *_image(told, image, plan.approximate().beside(*passed_on)),
        *_patient(told.patient, image, patient),
        _equal("private", card.private, image.private),
        _equal("unprotected", told.unprotected, list(image.unprotected)),
        _equal("statement", told.statement, sentences(image, patient)),
        _equal("not covered", told.not_covered, list(NOT_COVERED)),
        _equal("warnings", card.warnings, warnings(image, patient, card.layout)),
    ]


def _image(told: _ClaimedGuarantee, image: Guarantee, loose: Guarantee) -> list[Check]:
    stated = to_json(ImageGuarantee.of(image))
    claims = {
        "epsilon of an image": "epsilon",
        "why it is infinity": "reason",
        "epsilon of the noised part": "epsilon_of_noised_part",
        "delta of an image": "delta",
        "unit": "unit",
        "relation": "relation",
        "numerics": "numerics",
        "noise from a secure source": "secure",
        "an image is private": "private",
        "largest AUC of a verifier": "verification_auc_at_most",
        "largest top-1 rate in a gallery": "top1_at_most",
    }
    return [
        *(
            _equal(claim, getattr(told.image, name), stated.get(name))
            for claim, name in claims.items()
        ),
        _equal(
            "the same as epsilon, delta",
            told.image_approximate,
            to_json(ApproximateGuarantee.of(loose)),
            CALIBRATION,
        ),
    ]


def _claimed_patient(told: _ClaimedPatient, image: Guarantee) -> Guarantee:
    """A sum over images, which only the ledger knows; what is no such number is infinity."""
    epsilon = told.epsilon_of_noised_part if image.unprotected else told.epsilon
    noised = replace(
        image.noised_part,
        unit=Unit.PATIENT,
        epsilon=epsilon if _is_number(epsilon) and epsilon >= 0 else math.inf,
        delta=told.delta if _is_number(told.delta) and 0 <= told.delta <= 1 else 1.0,
    )
    return noised.beside(*image.unprotected)


def _patient(told: _ClaimedPatient, image: Guarantee, patient: Guarantee) -> list[Check]:
    """What follows from the sum. Other releases may be in it, so a lower bound of it is known."""
    here = max(1, number(told.images_in_this_release, "int"))
    noised, part = patient.noised_part.epsilon, "'s noised part" if image.unprotected else ""
    stated = PatientGuarantee.of(
        patient, images=told.images, images_in_this_release=told.images_in_this_release
    )
    follows = [stated.epsilon, None if stated.reason is UNSET else stated.reason]
    bounds = [stated.verification_auc_at_most, to_json(stated.top1_at_most)]
    return [
        _equal("rule of a patient", [told.unit, told.rule], [stated.unit, stated.rule]),
        _at_least(
            f"epsilon of a patient{part}",
            noised if math.isfinite(noised) else None,
            here * image.noised_part.epsilon,
        ),
        _equal("epsilon of a patient as a whole", [told.epsilon, told.reason], follows),
        _equal(
            "ceilings of a patient", [told.verification_auc_at_most, told.top1_at_most], bounds
        ),
        _at_least("delta of a patient", told.delta, here * image.delta),
        _at_least("images of a patient", told.images, told.images_in_this_release),
    ]


def _outline(plan: PlanDescription) -> list[Any]:
    """What a recipe fixes of a plan: what happens to how many dimensions, and for how much."""
    label = plan.label
    blocks = [
        [b.action, b.dimensions, b.mechanism, b.epsilon, _set(b.temperature)] for b in plan.blocks
    ]
    return [
        plan.basis,
        *blocks,
        [label.release, _set(label.classes), _set(label.epsilon)],
    ]


def _numbers(plan: PlanDescription) -> list[Any]:
    """Mechanisms with all that is said of them."""
    return [[_set(b.parameters), b.epsilon] for b in plan.blocks]


def _set(value: Any) -> Any:
    return None if value is UNSET else value


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _at_least(claim: str, claimed: Any, found: float) -> Check:
    ok = _is_number(claimed) and claimed >= found * (1 - TOLERANCE)
    return Check(claim=claim, claimed=claimed, found=found, ok=ok)


def _equal(claim: str, claimed: Any, found: Any, tolerance: float = TOLERANCE) -> Check:
    ok = _same(claimed, found, tolerance)
    return Check(claim=claim, claimed=claimed, found=found, ok=ok)


def _same(a: Any, b: Any, tolerance: float) -> bool:
    """Equal in every part, floats up to a relative tolerance."""
    if isinstance(b, float):
        return _is_number(a) and abs(a - b) <= tolerance * abs(b)
    if isinstance(b, dict):
        return (
            isinstance(a, dict)
            and a.keys() == b.keys()
            and all(_same(a[key], b[key], tolerance) for key in b)
        )
    if isinstance(b, (list, tuple)):
        return (
            isinstance(a, (list, tuple))
            and len(a) == len(b)
            and all(_same(x, y, tolerance) for x, y in zip(a, b, strict=True))
        )
    return type(a) is type(b) and bool(a == b)
