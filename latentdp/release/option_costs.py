"""What an option that keeps something of a file costs in claims, before a run is made.

Nothing here is a list of costs: each option is put into the recipe, and what the recipe then says
of itself is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from latentdp.privacy.plan import EXACT_ATTRIBUTES, EXACT_CLASS
from latentdp.privacy.randomized_response import LabelRelease, Unlabelled
from latentdp.recipe import Recipe
from latentdp.reports.layout import Layout

__all__ = ["COST", "OptionCost", "option_costs", "shares"]

COST = (
    "what is released exactly takes away the guarantee: epsilon of the whole is infinity, nothing "
    "bounds finding a patient, and budgets and caps need --accept-unprotected. With --shift-dates "
    "alone ceilings are left apart from the dates, among sources that agree in them"
)


@dataclass(frozen=True, kw_only=True)
class OptionCost:
    """What one option does to what is claimed.

    Attributes:
        option: As it is typed.
        used: Whether it is in use.
        unprotected: What it releases exactly: epsilon of the whole is infinity then.
        claims: Codes of CID 7050 that outputs state with it, such as ``113101``.
    """

    option: str
    used: bool
    unprotected: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """In a line."""
        does = "{}s" if self.used else "would {}"
        if self.unprotected:
            return f"{does.format('release')} exactly: {'; '.join(self.unprotected)}"
        return f"{does.format('claim')} {', '.join(self.claims)}; a person has to have looked"


def option_costs(recipe: Recipe, *, labelled: bool, several: bool) -> tuple[OptionCost, ...]:
    """The options that keep something, or claim something, in use or not.

    Args:
        recipe: Of the run.
        labelled: Whether labels are given.
        several: Whether a label says several attributes, and not one class.
    """
    flags = {
        "--shift-dates": "shift_dates",
        "--retain-characteristics": "retain_characteristics",
        "--retain-device": "retain_device",
        "--accept-burned-in": "accept_burned_in",
    }
    with_and_without = {
        option: tuple(_flagged(recipe, {name: value}) for value in (True, False))
        for option, name in flags.items()
    }
    if labelled and recipe.label == LabelRelease.RESPONSE:
        with_and_without["--unlabelled unknown"] = tuple(
            replace(recipe, unlabelled=str(value))
            for value in (Unlabelled.UNKNOWN, Unlabelled.RANDOM)
        )
    costs = [
        OptionCost(
            option=option,
            used=recipe == used,
            unprotected=tuple(u for u in used.unprotected if u not in left.unprotected),
            claims=tuple(c.code for c in used.profile.claims if c not in left.profile.claims),
        )
        for option, (used, left) in with_and_without.items()
    ]
    public = recipe.label == LabelRelease.PUBLIC
    if labelled:
        label = (EXACT_ATTRIBUTES if several else EXACT_CLASS,)
        costs.append(OptionCost(option="--label-release public", used=public, unprotected=label))
    mirror = Layout.MIRROR.unprotected
    return (*costs, OptionCost(option="--layout mirror", used=False, unprotected=mirror))


def _flagged(recipe: Recipe, flag: dict[str, Any]) -> Recipe:
    return replace(recipe, profile=replace(recipe.profile, **flag))


def shares(images_per_patient: Mapping[int, int], most: int = 3) -> dict[int, int]:
    """How many images would be released with at most 1, 2, ... images of a patient.

        >>> shares({1: 5, 4: 2})
        {1: 7, 2: 9, 3: 11}

    Args:
        images_per_patient: Number of images to number of patients who have as many.
        most: Numbers of images to try, at most: below the largest of a patient.
    """
    largest = max(images_per_patient, default=0)
    return {
        k: sum(patients * min(images, k) for images, patients in images_per_patient.items())
        for k in range(1, min(most, largest - 1) + 1)
    }
