r"""A Gaussian of each finding, in the coarsest latents of the flow.

The idea of DPMI, to learn privately in the latent of a public generator, without its GAN: the flow
inverts images exactly, and in its latent a few noisy sums describe the cohort.

Sensitivity. Let image j of a patient show k findings. Its row of shares l_j has 1/k at each, so
that its entries add up to 1 and |l_j| <= 1. Let z_j be its coarse latents, and s_j the mean square
of each group of them, less 1. The patient's record is

    v = (a mean l_j,  p clip(mean y_j, B) / B,  b clip(mean l_j x z_j, C) / C,
         c clip(mean s_j, D) / D)

with means over the patient's images, y_j the findings as zeros and ones, x the outer product,
public B, C and D, and a^2 + p^2 + b^2 + c^2 = 1. |mean l_j| <= 1, and the clips bound the other
parts by 1, so |v|^2 <= a^2 + p^2 + b^2 + c^2 = 1, whatever the images, their number and their
findings. Rounding towards zero makes v no longer. A patient more or less moves the sum by
|v| <= 1, another one in their place by |v - v'| <= 2. The number of patients enters only as the
sum of the noisy counts.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentdp.synthesis.methods._moments import fitted, squares, squares_block
from latentdp.synthesis.methods.base import REST, SynthesisMethod
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.statistics import NoisyBlock, NoisyStatistics
from latentdp.synthesis.vectors import PatientImages, RecordBlock

__all__ = ["FindingGaussians", "method"]

SQUARES = 0.4
SUMS = math.sqrt(REST**2 - SQUARES**2)


class FindingGaussians(SynthesisMethod):
    """Noisy mean of each finding and noisy variances, shrunk towards the flow's prior."""

    name: ClassVar[str] = "gaussian"
    title: ClassVar[str] = "one Gaussian of each finding in the flow's coarsest latents"
    source: ClassVar[str] = "the idea of DPMI, with an exact inverse instead of a GAN"

    @property
    def moments(self) -> tuple[RecordBlock, ...]:
        """Sums of latents by finding, mean squares."""
        size = (self.findings + 1) * self.public.coarse
        return (
            RecordBlock(size=size, bound=self.public.clip, share=SUMS, by_finding=True),
            squares_block(self.public, SQUARES),
        )

    def moments_of(self, images: PatientImages) -> tuple[NDArray[np.float64], ...]:
        """As in the proof above: l x z, s."""
        sums = images.shares[:, :, None] * images.latents[:, None, :]
        return sums.reshape(len(sums), -1), squares(images.latents)

    def fit(self, statistics: NoisyStatistics, known: NDArray[np.bool_]) -> LatentMixture:
        """Means shrunk towards the cohort's, and that towards the prior's 0."""
        counts, _, sums, mean_squares = statistics.blocks
        rows = sums.sums.reshape(self.findings + 1, -1)[known]
        return fitted(
            NoisyBlock(counts.sums[known], counts.deviation),
            NoisyBlock(rows.ravel(), sums.deviation),
            mean_squares,
            self.public.clip,
        )


method = FindingGaussians
