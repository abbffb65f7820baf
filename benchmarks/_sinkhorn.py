r"""DP-Sinkhorn's way: a few images of the flow, moved to where a noisy transport plan wants them.

DP-Sinkhorn (Cao et al. 2021, arXiv 2111.01177) learns a generator by the gradient of a Sinkhorn
divergence at the generated images, clipped as a whole. Its plan ties each real image to all
others, so that nothing is gained from many patients. Here the plan is that of the semi-dual
(Genevay et al. 2016, arXiv 1605.08527): the potentials g of the generated images x are public, and
each image y of a patient goes to them by

    p(y) = softmax((g - |y - x|^2) / t),

which follows no other patient. Noisy sums of p are the plan's marginal, after which g takes a
Sinkhorn step; those of p (y - x) are the gradient at the images. The divergence's own term, which
keeps them apart, is public. Images are latents of the flow, so that they stay images. Not the
authors' code.

Sensitivity. The first release has counts and findings alone, as in `evolve`. Then there are T
rounds. In each, the vector of image y is (a p, b p_1 u_1, ... b p_k u_k), u_j being (y - x_j) / R
held to a length of 1, R public, and a^2 + b^2 = 1. As p is of at least 0 and adds up to 1,
|p| <= 1, and the squared length is a^2 |p|^2 + b^2 sum p_j^2 |u_j|^2 <= |p|^2 <= 1; so is that of
the mean over a patient's images. Hence T + 1 Gaussian releases of sums that move by at most 1 with
a patient more or less, and by at most 2 with another in their place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from latentdp.privacy.mechanisms.base import clip_norm
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal
from latentdp.synthesis.curator import Curator
from latentdp.synthesis.methods.base import CountsAlone
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.statistics import NoisyBlock, NoisyStatistics
from latentdp.synthesis.vectors import PatientImages

__all__ = ["LatentSinkhorn"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

IMAGES = 8
ROUNDS = 20
OF_PLAN = 0.3  # share a of a record
OF_MOVES = math.sqrt(1 - OF_PLAN**2)
BLUR = 0.1  # temperature t, of the mean squared distance of the flow's own samples
RATE = 0.06  # of the length of a usual latent, a round at most
PACE = 0.5  # of a Sinkhorn step
FAINT = 0.2  # of an even share: a smaller one counts as that
WIDTH = 0.4  # deviation of what is drawn around each image at last


@dataclass(frozen=True)
class _Plan:
    """Who goes where, for generated thumbnails ``(k, s * s)`` with potentials ``(k,)``."""

    generated: Matrix
    potentials: Vector
    unit: float  # a usual squared distance in grey levels

    def of(self, own: Matrix) -> Matrix:
        """Shares ``(n, k)`` of thumbnails ``(n, s * s)``."""
        squares = (self.generated**2).sum(axis=1) - 2 * own @ self.generated.T  # integers: exact
        return np.asarray(softmax((self.potentials - squares / self.unit) / BLUR, axis=1))

    def question(self, images: PatientImages) -> Matrix:
        """As in the proof above, ``(n, k + k * s * s)``."""
        own = images.thumbnails.reshape(len(images.thumbnails), -1).astype(np.float64)
        shares = self.of(own)
        away = (own[:, None, :] - self.generated) / math.sqrt(self.unit)
        held = clip_norm(away.reshape(-1, own.shape[1]), 1.0, 2).reshape(away.shape)
        moves = (shares[:, :, None] * held).reshape(len(own), -1)
        return np.concatenate([OF_PLAN * shares, OF_MOVES * moves], axis=1)

    def apart(self) -> Matrix:
        """What the divergence's own term adds to the moves ``(k, s * s)``."""
        shares = _Plan(self.generated, np.zeros(len(self.generated)), self.unit).of(self.generated)
        pulled = shares @ self.generated - self.generated
        return -pulled / math.sqrt(self.unit) / len(self.generated)

    def stepped(self, plan: NoisyBlock) -> Vector:
        """Potentials after a part of a Sinkhorn step towards even shares."""
        k = len(self.generated)
        shares = np.maximum(plan.sums / max(float(plan.sums.sum()), 1.0), FAINT / k)
        raised = self.potentials - PACE * BLUR * np.log(k * shares)
        return np.asarray(raised - raised.mean())


class LatentSinkhorn(CountsAlone):
    """Noisy transport plans, and latents that follow them."""

    name: ClassVar[str] = "DP-Sinkhorn in the latent"
    title: ClassVar[str] = "a few images of the flow that a noisy transport plan moves"
    source: ClassVar[str] = "DP-Sinkhorn, with the plan of the semi-dual and a public flow"
    asked: ClassVar[str] = "shares of a transport plan, and where it moves the generated images"
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
        unit, potentials = _usual_distance(self.public), np.zeros(IMAGES)
        for _ in range(ROUNDS):
            small = self.public.rendered(latents)
            generated = small.reshape(IMAGES, -1).astype(np.float64)
            plan = _Plan(generated, potentials, unit)
            answer = curator.ask(plan.question, generated.size + IMAGES)
            noise = answer.deviation / OF_MOVES / patients
            moves = answer.sums[IMAGES:].reshape(generated.shape) / OF_MOVES / patients
            heard = _heard(moves, noise)
            wanted = (moves + plan.apart()).reshape(small.shape)
            pulled = self.public.pulled_back(latents, wanted)
            length = np.linalg.norm(pulled, axis=1, keepdims=True)
            rate = RATE * math.sqrt(self.public.coarse) * heard[:, None]
            latents = _usual(latents + rate * pulled / np.maximum(length, 1e-9))
            potentials = plan.stepped(NoisyBlock(answer.sums[:IMAGES], answer.deviation))
        return LatentMixture.around(latents, np.full(IMAGES, 1 / IMAGES), WIDTH)


def _heard(moves: Matrix, noise: float) -> Vector:
    """How much of each move ``(k, s * s)`` its noise does not explain (James-Stein)."""
    energy = np.maximum((moves**2).sum(axis=1), 1e-12)
    return np.asarray(np.sqrt(np.maximum(0.0, 1 - moves.shape[1] * noise**2 / energy)))


def _usual(latents: Matrix) -> Matrix:
    """None longer than a usual one."""
    length = np.linalg.norm(latents, axis=1, keepdims=True)
    return latents * np.minimum(1.0, math.sqrt(latents.shape[1]) / length)


def _usual_distance(public: PublicModel) -> float:
    """Mean squared distance of two of the flow's own samples, in grey levels; twice a variance."""
    samples = public.samples.reshape(len(public.samples), -1).astype(np.float64)
    return 2 * float(samples.var(axis=0).sum())
