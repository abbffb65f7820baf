r"""Mean pictures of each finding, from one release: for cohorts of a few hundred patients.

The pixels of a small image, in units of what the public flow's own samples vary by, are a frozen
public embedding. The mean embedding of the images with a finding, and that of all others, are its
prototypes; an image is read by which of the two is nearer, in the covariance of the flow's own
samples. Axes along which these vary less than the noise are left out of the difference.

Sensitivity. Let l_j be the shares of image j by finding, and of none, which add up to 1, so that
|l_j| <= 1, and e_j its embedding. The patient's record is

    v = (a mean l_j, c clip(mean l_j x e_j, 1)),  a^2 + c^2 = 1,

over their images, x the outer product: |v| <= 1. So the only sum there is moves by at most 1 with
a patient more or less, and by at most 2 with another in their place; the number of patients is
the noisy sum of the first entries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentdp.privacy.noise import Noise
from latentdp.private_training.accounting import gaussian_releases, noise_of
from latentdp.private_training.methods.base import Taught, TrainingMethod
from latentdp.private_training.readers import LinearReader, sides_of
from latentdp.reports.training_card import TrainingRecipe, TrainingRelease
from latentdp.synthesis.head import start
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.statistics import CohortSum, NoisyBlock
from latentdp.synthesis.vectors import PatientImages, RecordBlock, joint_records

__all__ = ["Prototypes", "method"]

Matrix = NDArray[np.float64]

MEANS = "sums of the patients' embeddings by finding, and their numbers"
COUNTS = 0.3  # share of a record
CLEAR = 5.0  # deviations of its noise
# Times the noise of a difference of means: where that is more than public images vary, the
# difference is left out. Fixed on public adults (NIH), on no cohort.
QUIET = 10.0


class Prototypes(TrainingMethod):
    """Means of embeddings under noise."""

    name: ClassVar[str] = "prototypes"
    title: ClassVar[str] = "mean pictures of each finding, from one release"
    source: ClassVar[str] = "few-shot learning with a frozen public embedding (Snell et al. 2017)"

    def __init__(
        self, public: PublicModel, recipe: TrainingRecipe, releases: Sequence[TrainingRelease]
    ) -> None:
        super().__init__(public, recipe, releases)
        sides = sides_of(public)
        self._head = start(public, self.findings, sides[min(1, len(sides) - 1)])
        rows, k = self.findings + 1, len(self._head.centre)
        self._blocks = (
            RecordBlock(size=rows, bound=1.0, share=COUNTS),
            RecordBlock(size=rows * k, bound=1.0, share=math.sqrt(1 - COUNTS**2), by_finding=True),
        )
        self._sum = CohortSum(self._blocks, noise_of(self.releases[0]))

    @classmethod
    def plan(cls, recipe: TrainingRecipe) -> tuple[TrainingRelease, ...]:
        """One release."""
        return gaussian_releases(recipe.epsilon, recipe.delta, [(MEANS, 1.0, 1)])

    def records(self, images: PatientImages) -> Matrix:
        """The record ``(p, k)`` of each patient, as in the proof above."""
        embedded = self._head.features(images.thumbnails)[:, :-1]
        shares = images.shares
        outer = (shares[:, :, None] * embedded[:, None, :]).reshape(len(shares), -1)
        return joint_records([shares, outer], self._blocks, images.patients)

    def add(self, images: PatientImages) -> None:
        """Adds up records."""
        self._sum.add(self.records(images))

    def learn(self, noise: Noise) -> Taught:
        """Means, and what lies between them."""
        counts, sums = self._sum.release(noise).blocks
        total = float(counts.sums.sum())
        rows = [self._between(counts, sums, i) for i in range(self.findings)]
        head = self._head.with_weights(np.stack(rows))
        return Taught(
            LinearReader(head), total < CLEAR * counts.deviation * math.sqrt(len(counts.sums))
        )

    def _between(self, counts: NoisyBlock, sums: NoisyBlock, finding: int) -> NDArray[np.float64]:
        """Weights and offset of a finding: logistic between two Gaussians of one covariance."""
        by_row, everybody = sums.sums.reshape(self.findings + 1, -1), counts.sums.sum()
        with_it = max(counts.sums[finding], counts.deviation)
        without = max(everybody - counts.sums[finding], counts.deviation)
        one, other = by_row[finding] / with_it, (by_row.sum(axis=0) - by_row[finding]) / without
        # What the noise of the sums, and of the numbers that they are divided by, does to the
        # difference: the latter moves it along what all images have in common.
        wide = 1 / with_it**2 + self.findings / without**2
        common = by_row.sum(axis=0) / max(everybody, counts.deviation)
        noise = sums.deviation**2 * wide * np.eye(len(common))
        noise += counts.deviation**2 * wide * np.outer(common, common)
        spread = self._spread
        kept = spread @ np.linalg.solve(spread + QUIET * noise, one - other)
        least = np.trace(spread) / len(spread) * np.eye(len(spread))
        slopes = np.linalg.solve(spread + least, kept)
        return np.append(slopes, math.log(with_it / without) - slopes @ (one + other) / 2)

    @cached_property
    def _spread(self) -> Matrix:
        """The covariance of public embeddings."""
        embedded = self._head.features(self.public.samples)[:, :-1]
        k = embedded.shape[1]
        return np.cov(embedded.T, bias=True).reshape(k, k) + 1e-9 * np.eye(k)

    def parameters(self, side: int) -> int:
        """An embedding for each finding and none, and their numbers; of one size."""
        return sum(block.size for block in self._blocks)

    def most_parameters(self, patients: float) -> float:
        """By the deviation of the one release."""
        return (patients / noise_of(self.releases[0]).deviation) ** 2


method = Prototypes
