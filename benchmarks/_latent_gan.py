r"""A GAN whose generator moves latents of the public flow, and whose discriminator is private.

DP-GAN at the size of a hospital: the generator is a mean and deviations in the flow's coarsest
latents, the discriminator a small network on thumbnails. Only the discriminator sees patients, by
full batches of their clipped gradients, as below 10,000 of them sampling gains next to nothing;
the generator follows the discriminator. Not anybody's code.

Sensitivity. The first release has counts and findings alone, as in `evolve`. Then there are T
rounds. In each, the record of a patient is the mean over their images of the gradient of
-log D(x_j) by the discriminator's weights, scaled down to a length of at most C, over C: at most 1
long. So there are T + 1 Gaussian releases of sums that move by at most 1 with a patient more or
less, and by at most 2 with another in their place. What the discriminator learns of generated
images is public.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal
from latentdp.synthesis.curator import Curator
from latentdp.synthesis.methods._moments import NARROWEST, WIDEST
from latentdp.synthesis.methods.base import CountsAlone
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.statistics import NoisyStatistics
from latentdp.synthesis.thumbnail_units import ThumbnailUnits
from latentdp.synthesis.vectors import PatientImages

__all__ = ["LatentGan"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

ROUNDS = 30
HIDDEN = 8
CLIP = 1.0  # of a patient's gradient
BATCH = 24  # generated images a round
OF_CRITIC, OF_MEAN, OF_SPREAD = 1.0, 0.02, 0.01  # steps


@dataclass(frozen=True)
class _Discriminator:
    """One hidden layer: what is real, by weights ``(h, k)`` and ``(h,)``."""

    first: Matrix
    last: Vector

    def __call__(self, seen: Matrix) -> tuple[Matrix, Vector]:
        """Hidden units ``(n, h)`` and odds ``(n,)``, rounded alike in any batch."""
        hidden = np.tanh((seen[:, None, :] * self.first[None]).sum(axis=2))
        return hidden, (hidden * self.last).sum(axis=1)

    def gradients(self, seen: Matrix, real: float) -> Matrix:
        """Of the cross-entropy of each image ``(n, h * k + h)`` by all weights."""
        hidden, odds = self(seen)
        error = expit(odds) - real
        by_hidden = error[:, None] * self.last * (1 - hidden**2)
        by_first = (by_hidden[:, :, None] * seen[:, None, :]).reshape(len(seen), -1)
        return np.concatenate([by_first, error[:, None] * hidden], axis=1)

    def by_image(self, seen: Matrix) -> Matrix:
        """Gradients ``(n, k)`` of -log D by images, which a generator follows."""
        hidden, odds = self(seen)
        by_hidden = (expit(odds) - 1)[:, None] * self.last * (1 - hidden**2)
        return by_hidden @ self.first

    def stepped(self, gradient: Vector) -> _Discriminator:
        """After a step."""
        split = self.first.size
        first = self.first - OF_CRITIC * gradient[:split].reshape(self.first.shape)
        return _Discriminator(first, self.last - OF_CRITIC * gradient[split:])


class LatentGan(CountsAlone):
    """Noisy gradients of a discriminator, and a mean and deviations that follow it."""

    name: ClassVar[str] = "DP-GAN in the latent"
    title: ClassVar[str] = "a mean and deviations of latents against a private discriminator"
    source: ClassVar[str] = "DP-GAN, with a public flow behind the generator"
    asked: ClassVar[str] = "clipped gradients of a discriminator"
    steps: ClassVar[int] = ROUNDS

    def rounds(
        self,
        patients: float,
        statistics: NoisyStatistics,
        known: NDArray[np.bool_],
        curator: Curator,
    ) -> LatentMixture:
        """All rounds."""
        noise, m = SeededNoise(2), self.public.coarse
        units = ThumbnailUnits.of(self.public)
        size = self.public.samples[0].size + 1
        critic = _Discriminator(
            normal(noise, (HIDDEN, size)) / 2, normal(noise, (HIDDEN,)) / math.sqrt(HIDDEN)
        )
        mean, spread = np.zeros(m), np.zeros(m)  # of the latents, and of log deviations
        for _ in range(ROUNDS):
            drawn = normal(noise, (BATCH, m))
            latents = mean + np.exp(spread) * drawn
            generated = units(self.public.rendered(latents))
            answer = curator.ask(partial(_question, units, critic), HIDDEN * (size + 1))
            real = CLIP * answer.sums / patients
            critic = critic.stepped((real + critic.gradients(generated, 0.0).mean(axis=0)) / 2)
            by_pixel = units.pulled_back(critic.by_image(generated))
            pulled = self.public.pulled_back(latents, by_pixel)
            mean = mean - OF_MEAN * math.sqrt(m) * _unit(pulled.mean(axis=0))
            by_spread = (pulled * drawn).mean(axis=0) * np.exp(spread)
            spread = spread - OF_SPREAD * math.sqrt(m) * _unit(by_spread)
            limits = np.log([NARROWEST, WIDEST]) / 2
            spread = np.clip(spread, *limits)
        return LatentMixture(weights=np.ones(1), means=mean[None], deviations=np.exp(spread)[None])


def _question(units: ThumbnailUnits, critic: _Discriminator, images: PatientImages) -> Matrix:
    return critic.gradients(units(images.thumbnails), 1.0) / CLIP


def _unit(vector: Vector) -> Vector:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
