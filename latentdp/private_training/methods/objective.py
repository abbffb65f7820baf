r"""The minimum of a regularised objective with a random linear term: objective perturbation.

One release, no rounds and no clipping of gradients: the noise goes into what is minimised, and the
minimum is released as it is.

Sensitivity. A patient is one vector x, |x| <= 1, the clipped mean of their images' features, with
the share of images that show each finding. So their loss is a sum over findings of logistic
losses of <w_j, x>, with first derivatives in [-1, 1] and second ones of at most 1 / 4, however
many images they have. What follows of that for a normal linear term (Kifer, Smith and Thakurta
2012) is proved in `latentdp.privacy.objective_perturbation`; the regularisation is a public rule
of epsilon and the number of findings, so that no number of patients enters. The proof is about
the exact minimum and real numbers: here the gradient is at most 1e-6 long at it, and the numerics
are idealised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from latentdp.privacy.noise import Noise
from latentdp.privacy.objective_perturbation import PerturbedObjective
from latentdp.privacy.samplers.uniform import normal
from latentdp.private_training.methods._regularised import (
    CURVATURE,
    MeanImages,
    head_of,
    minimum,
)
from latentdp.private_training.methods.base import Taught, TrainingMethod
from latentdp.private_training.readers import LinearReader, sides_of
from latentdp.reports.training_card import ObjectiveRelease, TrainingRecipe, TrainingRelease
from latentdp.reports.training_words import IDEALISED
from latentdp.synthesis.head import start
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.vectors import PatientImages

__all__ = ["ObjectivePerturbation", "method"]

MINIMUM = "minimum of the patients' losses with a random linear term"
# Share of epsilon, which sets the regularisation; fixed on public adults (NIH), on no cohort.
DETERMINANTS = 0.01
FINEST = 2.0**-16  # weights are rounded to multiples of it


class ObjectivePerturbation(TrainingMethod):
    """With a normal linear term."""

    name: ClassVar[str] = "objective"
    title: ClassVar[str] = "logistic readers at the minimum of an objective with a random term"
    source: ClassVar[str] = "Kifer, Smith and Thakurta 2012; Chaudhuri et al. 2011"
    numerics: ClassVar[str] = IDEALISED
    pure: ClassVar[bool] = False

    def __init__(
        self, public: PublicModel, recipe: TrainingRecipe, releases: Sequence[TrainingRelease]
    ) -> None:
        super().__init__(public, recipe, releases)
        sides = sides_of(public)
        self._head = start(public, self.findings, sides[min(1, len(sides) - 1)])
        self._parts: list[MeanImages] = []

    @classmethod
    def plan(cls, recipe: TrainingRecipe) -> tuple[TrainingRelease, ...]:
        """One release."""
        objective = PerturbedObjective.calibrate(
            recipe.epsilon,
            recipe.delta,
            findings=len(recipe.findings),
            curvature=CURVATURE,
            share=DETERMINANTS,
            pure=cls.pure,
        )
        release = ObjectiveRelease(
            what=MINIMUM,
            findings=objective.findings,
            regularisation=objective.regularisation,
            curvature=objective.curvature,
            scale=objective.scale,
            pure=objective.pure,
        )
        return (release,)

    def people(self, images: PatientImages) -> MeanImages:
        """Patients as the proof above has them."""
        return MeanImages.of(images, self._head)

    def add(self, images: PatientImages) -> None:
        """Keeps a mean of each patient."""
        self._parts.append(self.people(images))

    def learn(self, noise: Noise) -> Taught:
        """The minimum."""
        everybody = MeanImages(
            features=np.concatenate([part.features for part in self._parts]),
            shares=np.concatenate([part.shares for part in self._parts]),
        )
        # The random term must never leave this function: with the minimum it gives patients away.
        weights = minimum(everybody, self._release.regularisation, self._linear(noise))
        rounded = np.rint(weights / FINEST) * FINEST
        # No number of patients is released, so that nothing can be said of how faint they are.
        return Taught(LinearReader(head_of(self._head, rounded)), faint=False)

    def _linear(self, noise: Noise) -> NDArray[np.float64]:
        """The random term ``(f, k)``, in floating point."""
        drawn = normal(noise, self._head.weights.shape)
        if not self._release.pure:
            return self._release.scale * drawn
        uniform = (float(noise.words(1)[0] >> np.uint64(11)) + 0.5) * 2.0**-53
        length = float(gammaincinv(drawn.size, uniform))
        return np.asarray(self._release.scale * length * drawn / np.linalg.norm(drawn))

    @property
    def _release(self) -> ObjectiveRelease:
        release = self.releases[0]
        assert isinstance(release, ObjectiveRelease)
        return release

    def parameters(self, side: int) -> int:
        """A weight for each pixel and finding, and offsets; of one size."""
        return int(self._head.weights.size)

    def most_parameters(self, patients: float) -> float:
        """By the length of the random term, whose entries are as wide as a patient's gradient.

        The pure term is longer than its scale by the root of the number of its entries.
        """
        width = self._release.scale * (math.sqrt(self.parameters(0)) if self._release.pure else 1)
        return self.findings * (patients / width) ** 2


method = ObjectivePerturbation
