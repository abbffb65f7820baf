"""Whether the plan, and the form of the images, are what the recipe asks for."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from msgspec import UNSET

from latentdp.core.documents import to_json
from latentdp.data.dicom.attributes import attributes
from latentdp.errors import InputError
from latentdp.privacy.plan import Action, Plan
from latentdp.privacy.plan_description import PlanDescription
from latentdp.privatizer import make_plan
from latentdp.recipe import ALL, Recipe
from latentdp.release.verification.check import CALIBRATION, Check, equal
from latentdp.release.verification.claimed_card import ClaimedCard, ClaimedPlan, conditioning

__all__ = ["recipe_checks", "recipe_of"]

REFINED = 4  # as FACTOR of a refiner's network, which needs torch
LAYOUT = 16  # directions that a layout has at most, as GRID of a flow's, squared
LARGEST = 2**28  # numbers of directions, which any weights stay far below
_LATER = {  # which older cards do not state
    "candidates",
    "epsilon_per_patient",
    "images_per_patient",
    "keep_layout",
    "refuse_odd",
    "release_findings",
    "resample_identity",
    "unlabelled",
}
_LATER_ATTRIBUTES = {"SyntheticData", "SeriesDescription", "CodingSchemeIdentificationSequence"}


def recipe_of(card: ClaimedCard) -> Recipe:
    """The recipe that a card states; without the name of the weights, which it does not.

    Raises:
        InputError: It is none.
        KeyError: Something is missing.
    """
    names = {field.name for field in fields(Recipe)} - {"weights"}
    names -= _LATER - card.recipe.keys()
    record = {name: card.recipe[name] for name in names} | {"weights": ""}
    if not isinstance(record.get("weights_sha256"), str):
        record["weights_sha256"] = ""  # which no weights have
    return Recipe.from_record(record)


def recipe_checks(
    card: ClaimedCard, described: ClaimedPlan, plan: Plan, recipe: Recipe
) -> list[Check]:
    """The recipe, and that the plan is the one that the recipe asks for.

    Args:
        card: Whose claims are judged.
        described: The plan as the card states it.
        plan: What follows from its sizes and parameters.
        recipe: That of the card.
    """
    d = plan.d
    # Which directions makes no difference to a guarantee; how many does.
    most = recipe.keep_label_dims + (0 if recipe.directions == ALL else recipe.directions)
    # Of identity there may be fewer than asked for; the plan says how many.
    resampled = sum(b.size for b in plan.blocks if b.action is Action.RESAMPLE)
    alike = min(most + min(resampled, recipe.resample_identity), d)
    shape = recipe.keep_layout or 0
    if shape > LAYOUT:
        raise InputError(
            f"the card states {shape} directions of layout, more than any weights have"
        )
    count = min(alike + shape, d)
    if count * d > LARGEST:
        raise InputError("the card states more latent dimensions than any weights have")
    rows = np.eye(count, d)
    wanted = make_plan(
        recipe,
        d=d,
        directions=rows[:most],
        attributes=conditioning(card.image),
        identity=rows[most:alike],
        layout=rows[alike:],
    )
    height, width = card.image.made_at
    detail, among = card.image.detail_drawn_at, card.image.chosen_among
    follows = plan.describe()
    return [
        equal("digest of the recipe", card.recipe["digest"], recipe.digest),
        equal("weights", card.weights.sha256, recipe.weights_sha256),
        equal("claims", card.claims, to_json(recipe.profile.claims)),
        equal("attributes of an output", card.header, _attributes(card, recipe)),
        equal("size of an output", card.image.size, [recipe.profile.size or height] * 2),
        equal("drawn detail", detail, _steps(detail, height, recipe)),
        equal("candidates", among, recipe.candidates if among != 1 else 1),
        equal("packages of mechanisms", _packages(described), _packages(follows)),
        equal("latent dimensions", described.latent_dimensions, height * width),
        equal("plan of the recipe", _outline(described), _outline(wanted.describe()), CALIBRATION),
        equal(
            "numbers of the plan",
            [_numbers(described), card.plan["label"]],
            [_numbers(follows), to_json(follows.label)],
        ),
    ]


def _attributes(card: ClaimedCard, recipe: Recipe) -> dict[str, str]:
    """What an output holds; where all of them are missing, without those that 0.1 had not."""
    held: dict[str, str] = to_json(attributes(recipe.profile))
    stated = card.header if isinstance(card.header, dict) else {}
    if recipe.profile.mark or _LATER_ATTRIBUTES & stated.keys():
        return held
    return {keyword: holds for keyword, holds in held.items() if keyword not in _LATER_ATTRIBUTES}


def _steps(stated: Any, side: int, recipe: Recipe) -> list[int]:
    """The stated sizes as far as an octave (2) or a refiner (4) leads to each from the last.

    A step is taken only where the size that the recipe asks for is not reached yet.
    """
    sizes: list[int] = []
    wanted = (recipe.profile.size or side) if recipe.profile.detail else 0
    for size in stated:
        if side >= wanted or size not in (2 * side, REFINED * side):
            break
        sizes.append(size)
        side = size
    return sizes


def _outline(plan: PlanDescription) -> list[Any]:
    """What a recipe fixes of a plan: what happens to how many dimensions, and for how much."""
    label = plan.label
    blocks = [
        [b.action, b.dimensions, b.mechanism, b.epsilon, _stated(b.temperature)]
        for b in plan.blocks
    ]
    return [
        plan.basis,
        *blocks,
        [label.release, _stated(label.several), _stated(label.classes), _stated(label.epsilon)],
        *(
            [one.name, one.classes, _stated(one.epsilon)]
            for one in ([] if label.attributes is UNSET else label.attributes)
        ),
    ]


def _packages(plan: PlanDescription) -> list[str]:
    """Which packages brought mechanisms as plug-ins, whatever their versions."""
    return [b.provider.rpartition(" ")[0] for b in plan.blocks if b.provider is not UNSET]


def _numbers(plan: PlanDescription) -> list[Any]:
    """Mechanisms with all that is said of them."""
    return [[_stated(b.parameters), b.epsilon] for b in plan.blocks]


def _stated(value: Any) -> Any:
    return None if value is UNSET else value
