"""From an evaluation to a claim in the headers of later releases with the same recipe.

PS3.15 E.3.2 asks for a distortion that suffices to prevent recognition. That is a property of how
pixels are made, so what was measured on one release may be claimed for another that is made in
the same way: same mechanism, budget, directions, label release and weights.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from msgspec import UNSET

from latentdp.core.documents import read_json
from latentdp.core.filesystem import digest
from latentdp.errors import InputError
from latentdp.evaluation.verdict import verdict
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.reports.evaluation import Evaluation

__all__ = ["evidence", "with_evidence"]


def evidence(evaluation: Path, recipe: Recipe) -> str:
    """What was measured, in a sentence.

    Args:
        evaluation: ``evaluation.json`` of `latentdp evaluate`.
        recipe: Of the release that is to be made, bound to its weights.

    Raises:
        InputError: It is no evaluation, is of another recipe, or does not support the claim.
    """
    try:
        document = Evaluation.from_json(read_json(evaluation, "an evaluation"))
    except InputError as error:
        raise InputError("expected --evidence to be an evaluation.json of latentdp") from error
    people = document.cohort
    if people is UNSET:
        raise InputError("expected --evidence to be an evaluation.json that counts its people")
    if document.recipe != recipe.pixels_digest:
        raise InputError("the evaluation is of a release with another recipe or other weights")
    (claim,) = verdict(document).claims  # judged anew: what the file says of itself is text
    if not claim.holds:
        raise InputError(f"the evaluation does not support the claim: {claim.measured}")
    return (
        f"latentdp evaluate {document.version} on {people.images:,} images of "
        f"{people.patients:,} patients of a release with this recipe: {claim.measured}; "
        f"threshold: {claim.threshold}; sha256 of the evaluation {digest(evaluation)}"
    )


def with_evidence(privatizer: Privatizer, evaluation: Path) -> Privatizer:
    """The same privatizer, with the claim that an evaluation of its recipe supports.

    Raises:
        InputError: As `evidence`.
    """
    recipe = privatizer.recipe
    profile = replace(recipe.profile, evidence=evidence(evaluation, recipe))
    return Privatizer(privatizer.flow, replace(recipe, profile=profile), privatizer.noise)
