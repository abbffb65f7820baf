"""How a private training describes itself: what it cost, what was public, what it touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from latentdp.core.version import __version__
from latentdp.private_training.accounting import central_guarantee
from latentdp.private_training.methods.base import method_of
from latentdp.reports.guarantee_words import SEEDED
from latentdp.reports.release_card_parts import CardWeights
from latentdp.reports.synthesis_card import CentralGuarantee
from latentdp.reports.synthesis_words import WEAK
from latentdp.reports.training_card import (
    ObjectiveRelease,
    PrivateTraining,
    TrainingRecipe,
    TrainingRelease,
)
from latentdp.reports.training_words import LOST, USE

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = [
    "MODEL",
    "PUBLIC",
    "TOOL",
    "guarantee_of_recipe",
    "touched",
    "training_of",
    "warnings_of_training",
    "weights_of",
]

TOOL, MODEL = "latentdp", "central"

PUBLIC = (
    "the weights, with scales and centres of pixels that follow from their own samples",
    "the method, its constants and all options; nothing was tuned on the cohort",
    "the names of the findings, by declaration of whoever ran it (--findings)",
    "the order of magnitude of the number of patients, where delta is left to the program: "
    "it is 1e-5 up to 10,000 patients",
)


def guarantee_of_recipe(
    recipe: TrainingRecipe, releases: Sequence[TrainingRelease], *, secure: bool
) -> CentralGuarantee:
    """What the releases of a recipe guarantee."""
    numerics = method_of(recipe).numerics
    return central_guarantee(releases, recipe.delta, numerics=numerics, secure=secure)


def training_of(
    run: str,
    recipe: TrainingRecipe,
    releases: Sequence[TrainingRelease],
    flow: Flow,
    *,
    faint: bool,
    secure: bool,
    vault: str,
) -> PrivateTraining:
    """All that is said of a classifier.

    Args:
        run: Random identifier.
        recipe: What was asked for.
        releases: All of them.
        flow: The public one.
        faint: Whether the cohort hardly stands out of the noise.
        secure: False where the noise came from a seed.
        vault: Tag of the vault that was charged.
    """
    guarantee = guarantee_of_recipe(recipe, releases, secure=secure)
    return PrivateTraining(
        tool=TOOL,
        version=__version__,
        use=USE,
        model=MODEL,
        run=run,
        recipe=recipe,
        releases=tuple(releases),
        guarantee=guarantee,
        weights=weights_of(flow),
        public=PUBLIC,
        touched=tuple(map(touched, releases)),
        warnings=warnings_of_training(guarantee, faint=faint),
        vault=vault,
    )


def warnings_of_training(guarantee: CentralGuarantee, *, faint: bool) -> tuple[str, ...]:
    """What a reader must not overlook."""
    lines = {
        SEEDED: not guarantee.private,
        WEAK: guarantee.charged > 10,
        LOST: faint,
    }
    return tuple(line for line, holds in lines.items() if holds)


def weights_of(flow: Flow) -> CardWeights:
    """The public weights that a training starts from."""
    return CardWeights(
        name=flow.name,
        sha256=flow.sha256,
        training_data=flow.provenance.training_data,
        trained_on_private_data=flow.provenance.private_training,
    )


def touched(release: TrainingRelease) -> str:
    """What touched private data, and how often."""
    times = 1 if isinstance(release, ObjectiveRelease) else release.rounds
    return f"{release.what}: {'once' if times == 1 else f'{times} times'}"
