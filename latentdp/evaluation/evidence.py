"""From an evaluation to a claim in the headers of later releases with the same recipe.

PS3.15 E.3.2 asks for a distortion that suffices to prevent recognition. That is a property of how
pixels are made, so what was measured on one release may be claimed for another that is made in
the same way: same mechanism, budget, directions, label release and weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from latentdp.core.filesystem import digest
from latentdp.errors import InputError
from latentdp.evaluation.verdict import verdict
from latentdp.recipe import Recipe
from latentdp.reports.release_card import read_json

__all__ = ["evidence"]


def evidence(evaluation: Path, recipe: Recipe) -> str:
    """What was measured, in a sentence.

    Args:
        evaluation: ``evaluation.json`` of `latentdp evaluate`.
        recipe: Of the release that is to be made, bound to its weights.

    Raises:
        InputError: It is no evaluation, is of another recipe, or does not support the claim.
    """
    try:
        found: dict[str, Any] = read_json(evaluation)
        claim = verdict(found)["claims"][0]  # judged anew: what the file says of itself is text
        told = (
            f"latentdp evaluate {found['version']} on {int(found['cohort']['images']):,} images "
            f"of {int(found['cohort']['patients']):,} patients of a release with this recipe: "
            f"{claim['measured']}; threshold: {claim['threshold']}; sha256 of the evaluation "
            f"{digest(evaluation)}"
        )
        same = found["kind"] == "evaluation" and found["recipe"] == recipe.pixels_digest
    except (InputError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise InputError("expected --evidence to be an evaluation.json of latentdp") from error
    if not same:
        raise InputError("the evaluation is of a release with another recipe or other weights")
    if not claim["holds"]:
        raise InputError(f"the evaluation does not support the claim: {claim['measured']}")
    return told
