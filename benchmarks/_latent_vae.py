r"""A variational autoencoder that is trained twice on patients, the second time its decoder alone.

The idea of DP2-VAE (Jiang et al. 2022, arXiv 2208.03409): what is learnt of private images before
the private training lowers the noise that this needs. Nothing is free here: both stages are rounds
of clipped gradients, and both are paid for. The first teaches encoder and decoder; the second has
the encoder fixed, so that a patient's gradient is shorter and of fewer numbers. Both are linear
and start from the axes of the flow's own samples; what is decoded in the end becomes latents of
the public flow whose thumbnails are nearest. Not the authors' code; their abstract alone was read.

Sensitivity. The first release has counts and findings alone, as in `evolve`. Then there are T
rounds. In each, for public or released weights A and W, the vector of image x is the gradient by
the weights of |W (A x, 1) - x|^2 / 2 + |A x|^2 V / 2, held to a length of at most C, over C. The
patient's record is the mean over their images, so it is at most 1 long, however many there are.
The variance of the encoder adds a term that follows W alone. Hence T + 1 Gaussian releases of sums
that move by at most 1 with a patient more or less, and by at most 2 with another in their place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentdp.privacy.mechanisms.base import clip_norm
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal
from latentdp.synthesis.curator import Curator
from latentdp.synthesis.methods.base import CountsAlone
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.statistics import NoisyStatistics
from latentdp.synthesis.thumbnail_units import ThumbnailUnits
from latentdp.synthesis.vectors import PatientImages

__all__ = ["LatentVae"]

Matrix = NDArray[np.float64]

HIDDEN = 4
TOGETHER, ALONE = 10, 20  # rounds of both, and of the decoder
CLIP = 1.0  # of an image's gradient, whose images have a length of about 1
STEP = 0.3
PIXELS = 0.05  # variance V of what is decoded: features have one of 1 in all
BLUR = 0.1  # variance of what the encoder says
IMAGES = 16
FIT, RATE = 20, 0.06  # steps of finding latents, of the length of a usual one
WIDTH = 0.4  # deviation of what is drawn around each image at last


@dataclass(frozen=True)
class _Autoencoder:
    """Linear both ways: ``(h, k)`` into h hidden numbers, and ``(k, h + 1)`` out of them."""

    into: Matrix
    out: Matrix

    @classmethod
    def public(cls, public: PublicModel, units: ThumbnailUnits) -> _Autoencoder:
        """Principal axes of the flow's own samples, as a linear one would learn them."""
        seen = units(public.samples)[:, :-1]
        axes = np.linalg.svd(seen - seen.mean(axis=0), full_matrices=False)[2][:HIDDEN]
        spread = (seen @ axes.T).std(axis=0)[:, None]
        return cls(axes / spread, np.concatenate([(axes * spread).T, np.zeros((seen.shape[1], 1))],
                                                 axis=1))  # fmt: skip

    def gradients(self, seen: Matrix, *, both: bool) -> Matrix:
        """Of each image ``(n, h * k + k * (h + 1))``, those of the encoder 0 unless of both."""
        # Image by image: the size of a batch must not change how a product is rounded.
        hidden = (seen[:, None, :] * self.into).sum(axis=2)
        code = np.concatenate([hidden, np.ones((len(seen), 1))], axis=1)
        missed = (code[:, None, :] * self.out).sum(axis=2) - seen
        by_out = missed[:, :, None] * code[:, None, :]
        back = (missed[:, :, None] * self.out[:, :-1]).sum(axis=1) + PIXELS * hidden
        by_into = both * back[:, :, None] * seen[:, None, :]
        parts = [part.reshape(len(seen), -1) for part in (by_into, by_out)]
        return np.concatenate(parts, axis=1)

    def stepped(self, gradient: Matrix) -> _Autoencoder:
        """After a step; the decoder shrinks as the encoder's variance has it."""
        split = self.into.size
        by_into = gradient[:split].reshape(self.into.shape)
        by_out = gradient[split:].reshape(self.out.shape)
        blurred = np.append(np.full(self.into.shape[0], BLUR), 0.0)
        return _Autoencoder(
            self.into - STEP * by_into, self.out - STEP * (by_out + blurred * self.out)
        )


class LatentVae(CountsAlone):
    """Noisy gradients of a small autoencoder, and latents that look like what it decodes."""

    name: ClassVar[str] = "DP2-VAE in the latent"
    title: ClassVar[str] = "an autoencoder of thumbnails, its decoder trained once more"
    source: ClassVar[str] = "DP2-VAE, with both stages paid for, and a public flow"
    asked: ClassVar[str] = "clipped gradients of an autoencoder of thumbnails"
    steps: ClassVar[int] = TOGETHER + ALONE

    def rounds(
        self,
        patients: float,
        statistics: NoisyStatistics,
        known: NDArray[np.bool_],
        curator: Curator,
    ) -> LatentMixture:
        """Both stages."""
        units = ThumbnailUnits.of(self.public)
        coder = _Autoencoder.public(self.public, units)
        for turn in range(self.steps):
            question = partial(_question, units, coder, turn < TOGETHER)
            answer = curator.ask(question, coder.into.size + coder.out.size)
            gradient = CLIP * answer.sums / patients
            if turn >= TOGETHER:
                gradient[: coder.into.size] = 0  # nothing but noise
            coder = coder.stepped(gradient)
        return LatentMixture.around(
            self._latents(units, coder), np.full(IMAGES, 1 / IMAGES), WIDTH
        )

    def _latents(self, units: ThumbnailUnits, coder: _Autoencoder) -> Matrix:
        """Whose thumbnails are like decoded ones ``(IMAGES, m)``."""
        noise, m = SeededNoise(2), self.public.coarse
        hidden = np.concatenate([normal(noise, (IMAGES, HIDDEN)), np.ones((IMAGES, 1))], axis=1)
        wanted = hidden @ coder.out.T
        latents = normal(noise, (IMAGES, m)) / 2
        for step in range(FIT):
            missed = units(self.public.rendered(latents))
            missed[:, :-1] -= wanted
            pulled = self.public.pulled_back(latents, units.pulled_back(missed))
            length = np.maximum(np.linalg.norm(pulled, axis=1, keepdims=True), 1e-9)
            latents = latents - RATE * (1 - step / FIT) * math.sqrt(m) * pulled / length
        return clip_norm(latents, math.sqrt(m), 2)


def _question(
    units: ThumbnailUnits, coder: _Autoencoder, both: bool, images: PatientImages
) -> Matrix:
    seen = units(images.thumbnails)[:, :-1]
    return clip_norm(coder.gradients(seen, both=both), CLIP, 2) / CLIP
