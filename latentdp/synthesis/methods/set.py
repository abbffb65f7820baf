r"""A small set of images of the flow that teaches public random readers what the cohort does.

Private set generation, in the latent of the public flow: a few images are learnt, with soft
labels, so that readers with random weights get from them the gradients that they got, noisily,
from the cohort. Only latents are learnt, so that whatever comes out looks like an image of the
flow.

Sensitivity. The first release has counts and findings alone: with l_j and y_j as in `gaussian` it
is of the records (a mean l_j, p clip(mean y_j, B) / B) with a^2 + p^2 = 1, of a length of at most
1. Then there are T rounds. In each, for public random weights W, let image j have features x_j
and r_j = 1 if somebody read it, else 0, and let e_j = sigmoid(W x_j) - y_j. The vector of the
image is the direction of its gradient,

    u_j = r_j (e_j / |e_j|) x (x_j / |x_j|),

with x the outer product and 0 / |0| = 0; its length is a product of lengths of at most 1. The
patient's record is mean u_j over their images, so |mean u_j| <= 1, however many there are and
whatever they show, and without any clip. So in each of the T + 1 releases the sum moves by at most
1 with a patient more or less, and by at most 2 with another in their place. The weights follow
nothing but a public seed; learning the set is post-processing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from latentdp.privacy.mechanisms.base import clip_norm
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal
from latentdp.synthesis.curator import Curator
from latentdp.synthesis.methods.base import CountsAlone
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.statistics import NoisyStatistics
from latentdp.synthesis.thumbnail_units import ThumbnailUnits
from latentdp.synthesis.vectors import PatientImages

__all__ = ["PrivateSet", "method"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

READERS = 6
LOUD = 3.0  # deviation of the odds that a random reader gives to the flow's own samples
IMAGES = 32
STEPS, RATE, MOMENTUM = 40, 0.03, 0.9  # a step's length, of that of a usual latent, at first
WIDTH = 0.4  # deviation of what is drawn around each image at last
TINY = 1e-12


class PrivateSet(CountsAlone):
    """Noisy gradients of random readers, and images that give the same."""

    name: ClassVar[str] = "set"
    title: ClassVar[str] = (
        "a few images of the flow that teach random readers what the cohort does"
    )
    source: ClassVar[str] = "private set generation, with images learnt in the flow's latent"
    asked: ClassVar[str] = "directions of gradients of public random readers"
    steps: ClassVar[int] = READERS

    def rounds(
        self,
        patients: float,
        statistics: NoisyStatistics,
        known: NDArray[np.bool_],
        curator: Curator,
    ) -> LatentMixture:
        """Asks all readers, then learns; the prior where no finding may be told."""
        told = known[:-1]
        if not told.any():
            return self.fit(statistics, known)
        features = ThumbnailUnits.of(self.public)
        readers = _readers(int(told.sum()), self.public.samples[0].size + 1)
        answers = [
            curator.ask(partial(_question, features, reader, told), reader.size)
            for reader in readers
        ]
        wanted = [answer.sums.reshape(readers[0].shape) / patients for answer in answers]
        prevalence = statistics.prevalence(patients)[told]
        deviation = answers[0].deviation / patients
        latents = self._taught(features, readers, wanted, prevalence, deviation)
        return LatentMixture.around(latents, np.full(IMAGES, 1 / IMAGES), WIDTH)

    def _taught(
        self,
        features: ThumbnailUnits,
        readers: Sequence[Matrix],
        wanted: Sequence[Matrix],
        prevalence: Vector,
        deviation: float,
    ) -> Matrix:
        """Latents ``(k, m)`` that stay near public samples as far as noise explains the rest."""
        noise = SeededNoise(2)  # public: all that is private is in the answers
        start = normal(noise, (IMAGES, self.public.coarse))
        odds = np.log(np.clip(prevalence, 0.02, 0.98) / (1 - np.clip(prevalence, 0.02, 0.98)))
        labels = odds + normal(noise, (IMAGES, len(prevalence)))
        latents, pace = start.copy(), [np.zeros_like(start), np.zeros_like(labels)]
        for step in range(STEPS):
            rate = (1 - MOMENTUM) * RATE * (1 - step / STEPS)
            seen = features(self.public.rendered(latents))
            by_feature, by_label = _gradients(seen, labels, readers, wanted, deviation)
            by_pixel = features.pulled_back(by_feature)
            by_latent = self.public.pulled_back(latents, by_pixel) + latents - start
            for speed, gradient in zip(pace, (by_latent, by_label), strict=True):
                # Images take steps of the same length, however steep the cost is.
                length = np.linalg.norm(gradient, axis=1, keepdims=True)
                speed *= MOMENTUM
                speed -= rate * math.sqrt(gradient.shape[1]) * gradient / np.maximum(length, 1)
            latents, labels = latents + pace[0], labels + pace[1]
        return clip_norm(latents, self.public.clip, 2)


def _readers(findings: int, size: int) -> list[Matrix]:
    """Public random weights ``(f, k)`` of each; the features of a sample have a length of 1.4."""
    noise = SeededNoise(3)
    return [LOUD * normal(noise, (findings, size)) for _ in range(READERS)]


def _question(
    features: ThumbnailUnits, reader: Matrix, told: NDArray[np.bool_], images: PatientImages
) -> Matrix:
    """As in the proof above: u, ``(n, f * k)``."""
    seen = features(images.thumbnails)
    # Image by image: the size of a batch must not change how a product is rounded.
    odds = (seen[:, None, :] * reader[None]).sum(axis=2)
    error = _unit(expit(odds) - images.findings[:, told]) * images.read[:, None]
    return (error[:, :, None] * _unit(seen)[:, None, :]).reshape(len(seen), -1)


def _gradients(
    seen: Matrix,
    labels: Matrix,
    readers: Sequence[Matrix],
    wanted: Sequence[Matrix],
    deviation: float,
) -> tuple[Matrix, Matrix]:
    """Of the squared misses in deviations of their noise, over 2: by features and label odds."""
    by_feature, by_label = np.zeros_like(seen), np.zeros_like(labels)
    shown, direction = expit(labels), _unit(seen)
    for reader, answer in zip(readers, wanted, strict=True):
        said = expit(seen @ reader.T)
        error = said - shown
        turned = _unit(error)
        miss = (turned.T @ direction / len(seen) - answer) / deviation**2
        by_error = _across(error, turned, direction @ miss.T / len(seen))
        by_feature += _across(seen, direction, turned @ miss / len(seen))
        by_feature += (by_error * said * (1 - said)) @ reader
        by_label -= by_error * shown * (1 - shown)
    return by_feature, by_label


def _unit(vectors: Matrix) -> Matrix:
    """Rows of length 1; those of none stay 0."""
    length = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return np.asarray(vectors / np.maximum(length, TINY))


def _across(vectors: Matrix, units: Matrix, gradients: Matrix) -> Matrix:
    """Gradients by vectors of those by their directions."""
    along = (units * gradients).sum(axis=1, keepdims=True)
    length = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return np.asarray((gradients - along * units) / np.maximum(length, TINY))


method = PrivateSet
