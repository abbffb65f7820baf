r"""The class-conditional prior of the flow's coarsest level, in closed form.

The prior of a conditional flow's coarsest level is a mean for each class and entry, and a log
scale. The gradients that would train it are linear in sums of latents and of their squares, so
that one noisy release of these sums is the whole training: no round is better. Images of a
finding are then told from others by Bayes' rule, in latents that the public flow computes.

Sensitivity. The record is that of the method `gaussian` of synthesis
(`latentdp.synthesis.methods.gaussian`, which proves it): shares of images by finding, findings,
clipped means of the latents by finding and of their squares, |v| <= 1 together. So the one sum
moves by at most 1 with a patient more or less, and by at most 2 with another in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from latentdp.privacy.noise import Noise
from latentdp.private_training.accounting import gaussian_releases, noise_of
from latentdp.private_training.methods.base import Taught, TrainingMethod
from latentdp.private_training.readers import LatentReader
from latentdp.reports.training_card import TrainingRecipe, TrainingRelease
from latentdp.synthesis.methods.gaussian import FindingGaussians
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.statistics import CohortSum
from latentdp.synthesis.vectors import PatientImages

__all__ = ["ConditionalPrior", "method"]

SUMS = "sums and mean squares of the patients' coarse latents by finding, and their numbers"
LEAST = 1e-3  # share of a finding, and of all others
CLEAR = 5.0  # deviations of its noise


class ConditionalPrior(TrainingMethod):
    """A prior for each finding under noise."""

    name: ClassVar[str] = "prior"
    title: ClassVar[str] = "the flow's prior for each finding, in closed form from one release"
    source: ClassVar[str] = "sufficient statistics of a Gaussian prior; Kingma and Dhariwal 2018"
    latents: ClassVar[bool] = True

    def __init__(
        self, public: PublicModel, recipe: TrainingRecipe, releases: Sequence[TrainingRelease]
    ) -> None:
        super().__init__(public, recipe, releases)
        self._gaussians = FindingGaussians(public, self.findings)
        self._sum = CohortSum(self._gaussians.blocks, noise_of(self.releases[0]))

    @classmethod
    def plan(cls, recipe: TrainingRecipe) -> tuple[TrainingRelease, ...]:
        """One release."""
        return gaussian_releases(recipe.epsilon, recipe.delta, [(SUMS, 1.0, 1)])

    def records(self, images: PatientImages) -> np.ndarray:
        """The record ``(p, k)`` of each patient."""
        return self._gaussians.records(images)

    def add(self, images: PatientImages) -> None:
        """Adds up records."""
        self._sum.add(self.records(images))

    def learn(self, noise: Noise) -> Taught:
        """Means and deviations, and what they say of each finding."""
        statistics = self._sum.release(noise)
        counts = statistics.counts
        total = float(counts.sums.sum())
        faint = total < CLEAR * counts.deviation * np.sqrt(len(counts.sums))
        mixture = self._gaussians.fit(statistics, np.ones(self.findings + 1, dtype=np.bool_))
        k = len(mixture.weights)
        if k != self.findings + 1:  # the cohort does not stand out: the flow's own prior
            means = np.zeros((self.findings + 1, mixture.means.shape[1]))
            weights = np.full(self.findings + 1, 1 / (self.findings + 1))
        else:
            means, weights = mixture.means, mixture.weights
        shares = np.clip(weights[:-1], LEAST, 1 - LEAST)
        rest = weights.sum() - weights[:-1]
        others = (weights @ means - weights[:-1, None] * means[:-1]) / np.maximum(rest, LEAST)[
            :, None
        ]
        reader = LatentReader(
            means=means[:-1], others=others, deviations=mixture.deviations[0], shares=shares
        )
        return Taught(reader, bool(faint))

    def parameters(self, side: int) -> int:
        """Means for each finding and none, squares and numbers, whatever the size."""
        return sum(block.size for block in self._gaussians.blocks)

    def most_parameters(self, patients: float) -> float:
        """By the deviation of the one release."""
        return (patients / noise_of(self.releases[0]).deviation) ** 2


method = ConditionalPrior
