"""Which attributes of a label are released: a public rule, settled before any input is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from latentdp.core.attributes import Attribute
from latentdp.errors import InputError
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.recipe import Recipe

__all__ = ["LEAST", "with_released"]

LEAST = 2.0  # nats: an answer that has less is wrong more often than one time in eight


def with_released(
    recipe: Recipe, attributes: Sequence[Attribute], common: Mapping[str, int]
) -> Recipe:
    """The same recipe, which names the attributes that are released.

    Those that it names, or by default: where labels are released exactly, all; by randomised
    response, the findings that most of the public training images show, as many as have at least
    2 nats of the label's budget each, and at least one. Fewer answers are truer ones.

        >>> from latentdp.core.attributes import finding
        >>> known = [finding("Edema"), finding("Mass"), finding("Nodule"), finding("Hernia")]
        >>> balanced = Recipe.from_preset("balanced")  # of 8 nats the label has 6
        >>> common = {"Nodule": 9, "Edema": 5, "Mass": 7}
        >>> with_released(balanced, known, common).release_findings
        ('Edema', 'Mass', 'Nodule')

    Args:
        recipe: For weights that know these attributes.
        attributes: Of the weights; classes are one without a name.
        common: Public training images that show each finding.

    Raises:
        InputError: It names an attribute that the weights do not know, or labels are classes.
    """
    names = [one.name for one in attributes if one.name]
    if recipe.label == LabelRelease.NONE:
        return replace(recipe, release_findings=())
    if not names:
        if recipe.release_findings:
            raise InputError(
                "these weights know classes, of which the one of an image is released; findings "
                "to be released can be named only where weights know several of an image"
            )
        return recipe
    wanted = [_plain(name) for name in recipe.release_findings] or _usual(
        recipe, attributes, common
    )
    unknown = {*wanted} - {*map(_plain, names)}
    if unknown:
        raise InputError(
            f"these weights do not know {min(unknown)!r}, which is to be released; they know "
            f"{', '.join(names)}"
        )
    return replace(recipe, release_findings=tuple(n for n in names if _plain(n) in wanted))


def _usual(
    recipe: Recipe, attributes: Sequence[Attribute], common: Mapping[str, int]
) -> list[str]:
    findings = [one.name for one in attributes if one.is_finding]
    if recipe.label == LabelRelease.PUBLIC or not findings:
        return [_plain(one.name) for one in attributes]
    count = max(1, int(recipe.label_budget // LEAST))
    ranked = sorted(findings, key=lambda name: -common.get(name, 0))
    return [_plain(name) for name in ranked[:count]]


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", " ")
