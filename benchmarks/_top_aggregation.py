r"""DataLens' way: patients push a few public images by the signs of their largest wishes.

G-PATE and DataLens have teachers, each with a part of the private data, whose discriminators say
how generated images should change; DataLens keeps the k largest entries of a gradient as signs,
adds them up with Gaussian noise (TopAgg) and moves the images by what passes a threshold. Their
thousands of teachers are more than a hospital has patients. Here every patient is a teacher: the
discriminator of one image is its distance, whose gradient at the nearest generated image points at
it. Images are latents of the public flow, so that they stay images. Not the authors' code.

Sensitivity. The first release has counts and findings alone, as in `evolve`. Then there are T
rounds. In each, the vector of image j is 0 but in the block of the generated image whose thumbnail
is nearest; there it has sign / sqrt(k) at the k pixels that differ most. Its length is at most 1,
and so is that of the mean over a patient's images: T + 1 Gaussian releases of sums that move by at
most 1 with a patient more or less, and by at most 2 with another in their place.
"""

from __future__ import annotations

import math
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal
from latentdp.synthesis.curator import Curator
from latentdp.synthesis.methods.base import CountsAlone
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.statistics import NoisyStatistics
from latentdp.synthesis.vectors import PatientImages

__all__ = ["TopAggregation"]

Matrix = NDArray[np.float64]

IMAGES = 8
TOP = 64  # pixels of a thumbnail, at most
ROUNDS = 20
THRESHOLD = 1.0  # deviations of the noise
QUIET = 2 * float(norm.sf(THRESHOLD))  # share of pixels that noise alone makes loud
RATE = 0.06  # of the length of a usual latent, a round
WIDTH = 0.4  # deviation of what is drawn around each image at last


class TopAggregation(CountsAlone):
    """Noisy sums of signs, and latents that follow them."""

    name: ClassVar[str] = "TopAgg"
    title: ClassVar[str] = "signs of the largest pixels that patients want changed (DataLens)"
    source: ClassVar[str] = "DataLens and G-PATE, with patients as teachers"
    asked: ClassVar[str] = "signs of the largest differences from the nearest generated image"
    steps: ClassVar[int] = ROUNDS

    def rounds(
        self,
        patients: float,
        statistics: NoisyStatistics,
        known: NDArray[np.bool_],
        curator: Curator,
    ) -> LatentMixture:
        """All rounds."""
        latents = normal(SeededNoise(2), (IMAGES, self.public.coarse))
        pushed = np.zeros(IMAGES)
        for _ in range(ROUNDS):
            small = self.public.rendered(latents)
            answer = curator.ask(partial(_signs, small), small.size)
            loud = np.abs(answer.sums) > THRESHOLD * answer.deviation
            pushed += loud.reshape(IMAGES, -1).sum(axis=1)
            wanted = (np.sign(answer.sums) * loud).reshape(small.shape)
            pulled = self.public.pulled_back(latents, wanted)
            length = np.linalg.norm(pulled, axis=1, keepdims=True)
            moved = latents + RATE * math.sqrt(latents.shape[1]) * pulled / np.maximum(
                length, 1e-9
            )
            usual = math.sqrt(latents.shape[1]) / np.linalg.norm(moved, axis=1, keepdims=True)
            latents = moved * np.minimum(1.0, usual)
        # An image that nobody is near was hardly pushed, but by noise.
        pushed = np.maximum(pushed - ROUNDS * QUIET * small[0].size, 0)
        weights = pushed / pushed.sum() if pushed.any() else np.full(IMAGES, 1 / IMAGES)
        return LatentMixture.around(latents, weights, WIDTH)


def _signs(small: NDArray[np.uint8], images: PatientImages) -> Matrix:
    """As in the proof above, ``(n, k * s * s)``; integers up to the last step."""
    generated = small.reshape(len(small), -1).astype(np.float64)
    own = images.thumbnails.reshape(len(images.thumbnails), -1).astype(np.float64)
    distance = (generated**2).sum(axis=1) - 2 * own @ generated.T
    nearest = distance.argmin(axis=1)
    away = own - generated[nearest]
    top = min(TOP, away.shape[1])
    largest = np.argsort(-np.abs(away), axis=1, kind="stable")[:, :top]
    rows = np.arange(len(own))[:, None]
    vectors = np.zeros((len(own), len(small), away.shape[1]))
    vectors[rows, nearest[:, None], largest] = np.sign(away[rows, largest]) / math.sqrt(top)
    return vectors.reshape(len(own), -1)
