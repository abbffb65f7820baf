"""What a card says of a privatizer: its recipe, its weights and the form of its images."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from msgspec import UNSET

from latentdp.recipe import Recipe
from latentdp.reports.release_card_parts import CardAttribute, CardImage, CardRecipe, CardWeights

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow
    from latentdp.privatizer.privatizer import Privatizer

__all__ = ["image_on_card", "recipe_on_card", "weights_on_card"]


def recipe_on_card(recipe: Recipe) -> CardRecipe:
    """Without the name of the weights: it may be a private path."""
    stated = {f.name: getattr(recipe, f.name) for f in fields(recipe) if f.name != "weights"}
    for name in ("refuse_odd", "release_findings"):
        if not stated[name]:
            del stated[name]
    return CardRecipe(digest=recipe.digest, **stated)


def weights_on_card(flow: Flow) -> CardWeights:
    """The weights, what they learnt from, and what speaks against them."""
    return CardWeights(
        name=flow.name,
        sha256=flow.sha256,
        training_data=flow.provenance.training_data,
        trained_on_private_data=flow.provenance.private_training,
        caveats=flow.caveats,
    )


def image_on_card(privatizer: Privatizer) -> CardImage:
    """The form of the images."""
    return CardImage(
        size=(privatizer.size, privatizer.size),
        made_at=privatizer.flow.shape,
        chosen_among=privatizer.candidates,
        detail_drawn_at=tuple(privatizer.octaves),
        classes=privatizer.flow.classes,
        attributes=tuple(
            CardAttribute(name=one.name, values=one.values) for one in privatizer.flow.attributes
        )
        or UNSET,
    )
