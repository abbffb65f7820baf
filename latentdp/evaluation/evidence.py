"""From an evaluation to a claim in the headers of later releases of the same people.

PS3.15 E.3.2 asks for a distortion that suffices to prevent recognition. That depends on how pixels
are made and on whose they are. What was measured on one release may therefore be claimed for
another if that is made in the same way (mechanism, budget, directions, label release, weights) of
the very same files, and if the vault that keeps them has signed the evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from msgspec import UNSET

from latentdp.core.documents import read_json
from latentdp.core.filesystem import digest
from latentdp.errors import InputError
from latentdp.evaluation.population import sources_digest
from latentdp.evaluation.signature import is_signed
from latentdp.evaluation.verdict import verdict
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.reports.evaluation import Evaluation
from latentdp.vault.keys import Keys
from latentdp.vault.vault import Vault

__all__ = ["evidence", "with_evidence"]


def evidence(evaluation: Path, recipe: Recipe, keys: Keys, inputs: Sequence[Path]) -> str:
    """What was measured, in a sentence.

    Args:
        evaluation: ``evaluation.json`` of `latentdp evaluate`.
        recipe: Of the release that is to be made, bound to its weights.
        keys: Of its vault.
        inputs: All files that it is to be made of.

    Raises:
        InputError: It is no evaluation, this vault has not signed it, it is of other weights,
            another recipe or other files, or it does not support the claim.
    """
    try:
        document = Evaluation.from_json(read_json(evaluation, "an evaluation"))
    except InputError as error:
        raise InputError("expected --evidence to be an evaluation.json of latentdp") from error
    people, release, of = document.cohort, document.release, document.population
    if document.signature is UNSET or release is UNSET or of is UNSET or people is UNSET:
        raise InputError(
            "expected --evidence to be signed by the vault of its release; it is not, as "
            "evaluations of before are not: evaluate the release again"
        )
    if not is_signed(document, keys):
        raise InputError(
            "the evaluation was not signed by this vault, or was changed; name the vault of the "
            "release that was evaluated with --vault, or evaluate it again"
        )
    if release.weights_sha256 != recipe.weights_sha256:
        raise InputError(
            "the evaluation is of a release by other weights, with which it expired; evaluate one "
            "by these"
        )
    if document.recipe != recipe.pixels_digest:
        raise InputError("the evaluation is of a release with another recipe; evaluate one of it")
    if sources_digest(inputs, keys) != of.sources:
        raise InputError(
            f"the evaluation is of another population, of {of.files:,} files, and the input has "
            f"{len(inputs):,} or others; evaluate a release of just these files"
        )
    (claim,) = verdict(document).claims  # judged anew, by this version
    if not claim.holds:
        raise InputError(f"the evaluation does not support the claim: {claim.measured}")
    return (
        f"latentdp evaluate {document.version} on {people.images:,} images of "
        f"{people.patients:,} patients of a release of the same {of.files:,} files with this "
        f"recipe: {claim.measured}; threshold: {claim.threshold}; sha256 of the evaluation "
        f"{digest(evaluation)}"
    )


def with_evidence(
    privatizer: Privatizer, evaluation: Path, *, vault: Path | None, inputs: Sequence[Path]
) -> Privatizer:
    """The same privatizer, with the claim that an evaluation of the same release supports.

    Args:
        privatizer: Of the release that is to be made.
        evaluation: ``evaluation.json`` of `latentdp evaluate`.
        vault: Of that release, which must be that of the evaluated one.
        inputs: All files that it is to be made of.

    Raises:
        InputError: As `evidence`, or there is no such vault.
    """
    if vault is None or not Vault.exists(vault):
        raise InputError(
            "evidence counts under the vault that signed it, and there is none; name the vault "
            "of the release that was evaluated with --vault"
        )
    recipe = privatizer.recipe
    words = evidence(evaluation, recipe, Vault(vault, read_only=True), inputs)
    changed = replace(recipe, profile=replace(recipe.profile, evidence=words))
    return Privatizer(privatizer.flow, changed, privatizer.noise)
