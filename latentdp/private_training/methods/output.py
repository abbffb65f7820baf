r"""Regularised logistic readers, to which noise is added at the end: output perturbation.

One release: the weights at the minimum, with exact noise. Strong regularisation is what bounds how
far a patient moves them, and what costs accuracy.

Sensitivity. First the number of patients is released: each adds 1. From the noisy number n the
regularisation R = c sqrt(n) follows, a public rule (lambda = c / sqrt(n) of a mean loss). A
patient is one vector x, |x| <= 1, with a loss whose gradient is at most L = sqrt(f) long for f
findings, however many images they have. The objective is R-strongly convex, so that its minimum
moves by at most L / R with a patient more or less, and by at most 2 L / R with another in their
place (Chaudhuri et al. 2011, lemma 7). The program stops where the gradient is at most t = 1e-6
long, that is within t / R of the minimum, on either side: all is at most (L + 2 t) / R, and twice
that. Weights are then rounded to cells, which moves each of k entries by at most half of one,
that is by sqrt(k) cells together, and integers get exact normal noise. A cell is (L + 2 t) / R /
(grid - sqrt(k)), so that the grid of the release covers all of it. That the program's floats find
a gradient 10 times shorter than t is what vouches for t; their own rounding, of about 1e-10, is
stated and not proved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from latentdp.privacy.noise import Noise
from latentdp.private_training.accounting import gaussian_releases, noise_of
from latentdp.private_training.methods._counted import SHARE, NoisyCount
from latentdp.private_training.methods._regularised import (
    TOLERANCE,
    MeanImages,
    head_of,
    minimum,
)
from latentdp.private_training.methods.base import Taught, TrainingMethod
from latentdp.private_training.readers import LinearReader, sides_of
from latentdp.reports.training_card import TrainingRecipe, TrainingRelease
from latentdp.reports.training_words import COUNT
from latentdp.synthesis.head import HeadData, start
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.vectors import PatientImages

__all__ = ["OutputPerturbation", "method"]

WEIGHTS = "weights at the minimum of the patients' regularised losses"
RULE = 0.3  # c; fixed on public adults (NIH), on no cohort


class OutputPerturbation(TrainingMethod):
    """Noise on the weights."""

    name: ClassVar[str] = "output"
    title: ClassVar[str] = "regularised logistic readers, with noise on their weights"
    source: ClassVar[str] = "Chaudhuri, Monteleoni and Sarwate 2011, algorithm 1, normal noise"
    numerics: ClassVar[str] = (
        "exact noise; the minimum within a tolerance that the sensitivity covers"
    )

    def __init__(
        self, public: PublicModel, recipe: TrainingRecipe, releases: Sequence[TrainingRelease]
    ) -> None:
        super().__init__(public, recipe, releases)
        sides = sides_of(public)
        self._head = start(public, self.findings, sides[min(1, len(sides) - 1)])
        self._data = HeadData()

    @classmethod
    def plan(cls, recipe: TrainingRecipe) -> tuple[TrainingRelease, ...]:
        """The number of patients, and the weights."""
        parts = [(COUNT, SHARE, 1), (WEIGHTS, 1 - SHARE, 1)]
        return gaussian_releases(recipe.epsilon, recipe.delta, parts)

    def add(self, images: PatientImages) -> None:
        """Keeps thumbnails and findings."""
        self._data.add(images)

    def learn(self, noise: Noise) -> Taught:
        """The number, the minimum, the noise."""
        count = NoisyCount(self._data, self.releases[0], noise)
        regularisation = RULE * math.sqrt(count.patients)
        cells, cell = self.cells(self._data, regularisation)
        released = noise_of(self.releases[1]).release(cells, noise)
        weights = released * noise_of(self.releases[1]).grid * cell
        head = head_of(self._head, weights.reshape(self._head.weights.shape))
        return Taught(LinearReader(head), count.faint)

    def cells(self, data: HeadData, regularisation: float) -> tuple[np.ndarray, float]:
        """The minimum in integer cells ``(f k,)``, and the length of a cell.

        Args:
            data: Of the cohort.
            regularisation: R.
        """
        parts = [MeanImages.of(part, self._head) for part in data.parts]
        everybody = MeanImages(
            features=np.concatenate([part.features for part in parts]),
            shares=np.concatenate([part.shares for part in parts]),
        )
        weights = minimum(everybody, regularisation, np.zeros(self._head.weights.shape))
        moved = (math.sqrt(self.findings) + 2 * TOLERANCE) / regularisation
        cell = moved / (noise_of(self.releases[1]).grid - math.sqrt(weights.size))
        return np.rint(weights.ravel() / cell).astype(np.int64), cell

    def parameters(self, side: int) -> int:
        """A weight for each pixel and finding, and offsets; of one size."""
        return int(self._head.weights.size)

    def most_parameters(self, patients: float) -> float:
        """By the deviation of the noise, in units of what one patient may move."""
        return (patients / noise_of(self.releases[1]).deviation) ** 2


method = OutputPerturbation
