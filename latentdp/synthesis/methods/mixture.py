r"""A Gaussian of each cluster of what chests look like, in the coarsest latents of the flow.

After MC-GEN, with clusters that are public: their centres are those of the flow's own samples, so
that finding them costs nothing. It needs more patients than `gaussian`, some 150 to 300 a cluster,
and then follows shapes that no single Gaussian has.

Sensitivity. Let image j of a patient have the row of shares l_j, as in `gaussian`, and let h_j be
1 at its nearest public centre and 0 elsewhere. Each of both has a length of at most 1, and so have
their means over the patient's images. With y_j, z_j and s_j as in `gaussian`, the patient's record
is

    v = (a mean l_j,  p clip(mean y_j, B) / B,  e mean h_j,  b clip(mean h_j x z_j, C) / C,
         c clip(mean s_j, D) / D)

with a^2 + p^2 + e^2 + b^2 + c^2 = 1, so |v| <= 1, whatever the images and their number, and the
sum moves by at most 1 with a patient more or less, and by at most 2 with another in their place.
The number of patients enters only as the sum of the noisy counts.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from latentdp.synthesis.methods._moments import fitted, squares, squares_block
from latentdp.synthesis.methods.base import REST, SynthesisMethod
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.statistics import NoisyStatistics
from latentdp.synthesis.vectors import PatientImages, RecordBlock

__all__ = ["ClusterMixture", "method"]

CLUSTERS = 6
SIZES, SQUARES = 0.2, 0.4
SUMS = math.sqrt(REST**2 - SIZES**2 - SQUARES**2)


class ClusterMixture(SynthesisMethod):
    """Noisy size and mean of each public cluster, shrunk towards the cohort's mean."""

    name: ClassVar[str] = "mixture"
    title: ClassVar[str] = "one Gaussian of each public cluster in the flow's coarsest latents"
    source: ClassVar[str] = "after MC-GEN, with public centres"

    @property
    def moments(self) -> tuple[RecordBlock, ...]:
        """Counts by cluster, sums of latents by cluster, mean squares."""
        return (
            RecordBlock(size=CLUSTERS, bound=1.0, share=SIZES),
            RecordBlock(size=CLUSTERS * self.public.coarse, bound=self.public.clip, share=SUMS),
            squares_block(self.public, SQUARES),
        )

    def moments_of(self, images: PatientImages) -> tuple[NDArray[np.float64], ...]:
        """As in the proof above: h, h x z, s."""
        cluster = self._cluster(images.thumbnails)
        sums = cluster[:, :, None] * images.latents[:, None, :]
        return (
            cluster,
            sums.reshape(len(sums), -1),
            squares(images.latents),
        )

    def fit(self, statistics: NoisyStatistics, known: NDArray[np.bool_]) -> LatentMixture:
        """Means shrunk towards the cohort's, and that towards the prior's 0."""
        _, _, sizes, sums, mean_squares = statistics.blocks
        return fitted(sizes, sums, mean_squares, self.public.clip)

    def _cluster(self, thumbnails: NDArray[np.uint8]) -> NDArray[np.float64]:
        """1 at the nearest centre of each image ``(n, clusters)``."""
        flat = thumbnails.reshape(len(thumbnails), -1).astype(np.float64)
        distance = ((flat[:, None, :] - self._centres[None]) ** 2).sum(axis=2)
        return np.asarray(np.eye(CLUSTERS)[distance.argmin(axis=1)])

    @cached_property
    def _centres(self) -> NDArray[np.float64]:
        flat = self.public.samples.reshape(len(self.public.samples), -1).astype(np.float64)
        return np.asarray(KMeans(CLUSTERS, n_init=3, random_state=0).fit(flat).cluster_centers_)


method = ClusterMixture
