r"""Logistic readers of small images, learnt by full batches of noisy gradients.

In each of T rounds the gradients of all patients are added up and released with noise, and the
weights take a step. Nobody is sampled, so T rounds cost what one Gaussian release costs, times the
root of T, exactly; below ten thousand patients that is as good as sampling, and simpler.

Sensitivity. First the number of patients is released: each adds 1. Then, at weights W of the
round, which follow noise and public values alone, the patient's record is

    v = clip(mean r_j (sigmoid(W x_j) - y_j) x x_j, C) / C

over their images j, x_j the pixels in public units, y_j the findings, and r_j = 1 if somebody
read the image, else 0. So |v| <= 1 however many images there are and whatever they show; integers
are rounded towards 0. In every release the sum moves by at most 1 with a patient more or less,
and by at most 2 with another in their place, given all before. With noise of another deviation
s_t in each round, fixed beforehand, all are mu-GDP with mu^2 the sum of (2 / s_t)^2
(replace-one).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from msgspec import UNSET

from latentdp.privacy.noise import Noise
from latentdp.private_training.accounting import Part, gaussian_releases, rounds_of
from latentdp.private_training.methods._counted import SHARE, NoisyCount
from latentdp.private_training.methods.base import Taught, TrainingMethod
from latentdp.private_training.readers import LinearReader, finest
from latentdp.private_training.schedule import CONSTANT, SCHEDULES, shares
from latentdp.reports.training_card import TrainingRecipe, TrainingRelease
from latentdp.reports.training_words import COUNT
from latentdp.synthesis.head import ROUNDS, HeadData, descend
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.vectors import PatientImages

__all__ = ["FullBatchHead", "method"]

GRADIENTS = "sum of the patients' clipped gradients"
ROOM = 4.0  # a finer image needs so many times the numbers to be allowed


class FullBatchHead(TrainingMethod):
    """Full-batch gradient descent under noise."""

    name: ClassVar[str] = "head"
    title: ClassVar[str] = "logistic readers of small images, by full batches of noisy gradients"
    source: ClassVar[str] = "Bassily, Smith and Thakurta 2014; GDP of Dong, Roth and Su 2019"
    schedules: ClassVar[tuple[str, ...]] = SCHEDULES

    def __init__(
        self, public: PublicModel, recipe: TrainingRecipe, releases: Sequence[TrainingRelease]
    ) -> None:
        super().__init__(public, recipe, releases)
        self._data = HeadData()
        self._rounds = rounds_of(self.releases[1:])

    @classmethod
    def plan(cls, recipe: TrainingRecipe) -> tuple[TrainingRelease, ...]:
        """The number of patients, and then all rounds."""
        rest = 1 - SHARE
        times = ROUNDS if recipe.rounds is UNSET else recipe.rounds
        rounds: list[Part] = [(GRADIENTS, rest, times)]
        if recipe.schedule != CONSTANT:
            rounds = [
                (f"{GRADIENTS}, round {i}", rest * float(share), 1)
                for i, share in enumerate(shares(recipe.schedule, times), 1)
            ]
        return gaussian_releases(recipe.epsilon, recipe.delta, [(COUNT, SHARE, 1), *rounds])

    def add(self, images: PatientImages) -> None:
        """Keeps thumbnails and findings."""
        self._data.add(images)

    def learn(self, noise: Noise) -> Taught:
        """All rounds."""
        count = NoisyCount(self._data, self.releases[0], noise)
        most = self.most_parameters(count.patients)
        head = finest(
            self.public, self.findings, lambda side: self.parameters(side) * ROOM <= most
        )
        everything = np.ones(self.findings, dtype=np.bool_)
        head = descend(
            self._data, everything, head, self._rounds, count=count.patients, noise=noise
        )
        return Taught(LinearReader(head), count.faint)

    def parameters(self, side: int) -> int:
        """A weight for each pixel and finding, and offsets."""
        return self.findings * (side**2 + 1)

    def most_parameters(self, patients: float) -> float:
        """By the deviation that a constant schedule of this cost would have."""
        inverse = float(np.mean([1 / noise.deviation**2 for noise in self._rounds]))
        return patients**2 * inverse


method = FullBatchHead
