"""What a method of private training is: releases that are fixed beforehand, and what they teach.

To add one, write a module here with a class that extends `TrainingMethod`, and name it ``method``.
Its docstring proves the sensitivity; the contract tests hold it to that. Its releases follow from
the recipe alone, so that anybody recomputes their cost from a card.

How large a classifier may be is a public rule. Noise of deviation s, in units of a patient's
largest part, on a sum over B patients drowns what they say together where the classifier has more
than (B / s)^2 numbers (the noise is then sqrt(P) s long, and the sum at most B). A method with
fewer numbers for no size of image is refused before anything is charged; which size is taken
follows from the *noisy* number of patients.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from latentdp.core import plugins
from latentdp.errors import InputError
from latentdp.privacy.noise import Noise
from latentdp.private_training.readers import Reader, sides_of
from latentdp.private_training.schedule import CONSTANT
from latentdp.reports.training_card import TrainingRecipe, TrainingRelease
from latentdp.reports.training_words import EXACT
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.vectors import PatientImages

__all__ = ["KIND", "Taught", "TrainingMethod", "method_of"]

KIND = "training methods"


@dataclass(frozen=True)
class Taught:
    """What was released of a cohort.

    Attributes:
        reader: Of findings, in the order of the recipe.
        faint: Whether all patients together hardly stand out of the noise.
    """

    reader: Reader
    faint: bool


class TrainingMethod(ABC):
    """One way to learn a classifier.

    Args:
        public: Of the weights; it knows nothing of the cohort.
        recipe: What was asked for.
        releases: As `plan` has them.

    Attributes:
        name: As an option has it.
        title: What it does, in a line.
        source: Where the idea comes from.
        numerics: ``exact``, or what is not.
        schedules: Of its noise over rounds.
        latents: Whether it looks at the flow's latents, which takes a moment an image.
        public: As given.
        recipe: As given.
        releases: As given.
        findings: How many are read.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    numerics: ClassVar[str] = EXACT
    schedules: ClassVar[tuple[str, ...]] = (CONSTANT,)
    latents: ClassVar[bool] = False

    def __init__(
        self, public: PublicModel, recipe: TrainingRecipe, releases: Sequence[TrainingRelease]
    ) -> None:
        self.public, self.recipe, self.releases = public, recipe, tuple(releases)
        self.findings = len(recipe.findings)

    @classmethod
    @abstractmethod
    def plan(cls, recipe: TrainingRecipe) -> tuple[TrainingRelease, ...]:
        """All releases, with the least noise that costs what the recipe allows.

        Raises:
            InputError: A budget that is none, or too small for any use.
        """

    @abstractmethod
    def add(self, images: PatientImages) -> None:
        """Takes in all images of some patients, who have no others."""

    @abstractmethod
    def learn(self, noise: Noise) -> Taught:
        """Draws all noise; to be called once, after it was paid for.

        What it returns follows releases and public values alone.
        """

    @abstractmethod
    def parameters(self, side: int) -> int:
        """Numbers that one release has, for thumbnails of a side in pixels."""

    @abstractmethod
    def most_parameters(self, patients: float) -> float:
        """(B / s)^2 for so many patients; infinite where the rule has no meaning."""

    def check(self, patients: int) -> None:
        """Refuses a cohort that is too small for the noise; for the operator's eyes.

        Raises:
            InputError: Fewer numbers are allowed than the smallest classifier has.
        """
        least, most = self.parameters(sides_of(self.public)[-1]), self.most_parameters(patients)
        if least <= most:
            return
        enough = math.ceil(patients * math.sqrt(least / most))
        raise InputError(
            f"the noise would drown what {patients:,} patients say: at this epsilon they teach "
            f"{math.floor(most):,} numbers, and the smallest classifier of {self.name!r} for "
            f"{self.findings} findings has {least:,}; give a larger epsilon, fewer findings, "
            f"another --method, or about {enough:,} patients"
        )


def method_of(recipe: TrainingRecipe) -> type[TrainingMethod]:
    """The method of a recipe, which knows its schedule.

    Raises:
        InputError: There is no such method, or it has no such schedule.
    """
    method: type[TrainingMethod] = plugins.load(KIND, recipe.method).method
    if recipe.schedule not in method.schedules:
        raise InputError(
            f"the method {method.name!r} knows no schedule {recipe.schedule!r}; it knows: "
            f"{', '.join(method.schedules)}"
        )
    return method
