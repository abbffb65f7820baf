"""Shadow releases: the same method and noise on cohorts whose members are chosen by coins.

Each patient is in a shadow by a fair coin of their own. Given all other coins, the two cohorts
that a coin decides between are add-remove neighbours; so whatever an attacker makes of a shadow,
the guarantee under add-remove bounds how well members are told from others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, logsumexp

from latentdp.core.progress import CountCallback
from latentdp.privacy.noise import SeededNoise
from latentdp.synthesis.evaluation.coins import CoinReader
from latentdp.synthesis.evaluation.observed_sum import observed
from latentdp.synthesis.head import Head
from latentdp.synthesis.learn import Learner
from latentdp.synthesis.methods.base import SynthesisMethod
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.synthesis.vectors import PatientImages, patient_means

__all__ = ["DRAWN", "DrawnDensity", "ShadowReleases", "members_of", "shadow_releases"]

Matrix = NDArray[np.float64]

DRAWN = 500  # latents of a generator, to whoever has nothing but what it draws
NARROWEST = 1e-3  # of a variance of drawn latents


@dataclass(frozen=True, kw_only=True)
class ShadowReleases:
    """What attackers see of every patient in every shadow.

    Attributes:
        member: ``(s, p)`` who was learnt from.
        seen: By what is looked at ``(s, p)``: ``statistics``, ``generator``, ``head``, ``drawn``.
    """

    member: NDArray[np.bool_]
    seen: dict[str, Matrix]


def shadow_releases(
    method: SynthesisMethod,
    plan: SynthesisPlan,
    images: PatientImages,
    *,
    declared: bool,
    shadows: int,
    seed: int,
    progress: CountCallback | None = None,
) -> ShadowReleases:
    """Fits a method so often.

    Args:
        method: Of synthesis.
        plan: The noise.
        images: Of all who may be members: **private**.
        declared: The names of findings are public.
        shadows: How many.
        seed: Of coins and noise.
        progress: Called with the number of shadows done and of all.
    """
    records = method.records(images)
    reader = CoinReader(records, plan.statistics.deviation)
    population = DrawnDensity.of(images.latents)(images.latents)
    member, seen = [], []
    for shadow in range(shadows):
        noise = SeededNoise(seed * shadows + shadow)
        coins = noise.words(len(records)) % np.uint64(2) == 1
        watched, statistics, _ = observed(plan, exact=False)
        learner = Learner(method, watched, declared=declared)
        if coins.any():
            learner.add(members_of(images, coins))
        learnt = learner.release(noise)
        drawn = learnt.mixture.draw(noise, DRAWN, images.latents.shape[1])
        looks = {
            "statistics": reader(statistics.released[0]),
            "generator": _of_patients(_density(learnt.mixture, images.latents), images),
            "drawn": _of_patients(DrawnDensity.of(drawn)(images.latents) - population, images),
        }
        if learnt.head is not None:
            looks["head"] = _likelihood(learnt.head, images, learnt.known)
        member.append(coins)
        seen.append(looks)
        if progress is not None:
            progress(shadow + 1, shadows)
    nothing = np.zeros(len(records))
    names = sorted({name for looks in seen for name in looks})
    return ShadowReleases(
        member=np.stack(member),
        seen={name: np.stack([looks.get(name, nothing) for looks in seen]) for name in names},
    )


def members_of(images: PatientImages, chosen: NDArray[np.bool_]) -> PatientImages:
    """All images of the patients that are chosen ``(p,)``, numbered anew."""
    rows = chosen[images.patients]
    return PatientImages(
        latents=images.latents[rows],
        thumbnails=images.thumbnails[rows],
        findings=images.findings[rows],
        read=images.read[rows],
        patients=np.unique(images.patients[rows], return_inverse=True)[1].astype(np.int64),
    )


@dataclass(frozen=True)
class DrawnDensity:
    """A Gaussian around latents, each by itself: what is known of a generator that only draws.

    Attributes:
        mean: ``(m,)``.
        variance: ``(m,)``.
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]

    @classmethod
    def of(cls, latents: Matrix) -> Self:
        """Fitted to latents ``(n, m)``."""
        return cls(latents.mean(axis=0), np.maximum(latents.var(axis=0), NARROWEST))

    def __call__(self, latents: Matrix) -> NDArray[np.float64]:
        """Logarithm of the density ``(n,)``, but for a constant."""
        away = (latents - self.mean) ** 2 / self.variance + np.log(self.variance)
        return np.asarray(-away.sum(axis=1) / 2)


def _density(mixture: LatentMixture, latents: Matrix) -> NDArray[np.float64]:
    """Logarithm of the generator's own density ``(n,)``, but for a constant."""
    components = [
        np.log(weight) - (((latents - mean) / deviation) ** 2 / 2 + np.log(deviation)).sum(axis=1)
        for weight, mean, deviation in zip(
            mixture.weights, mixture.means, mixture.deviations, strict=True
        )
        if weight > 0
    ]
    return np.asarray(logsumexp(components, axis=0))


def _likelihood(head: Head, images: PatientImages, known: NDArray[np.bool_]) -> Matrix:
    """Mean logarithm of the head's probability of what is known of a patient's images ``(p,)``."""
    odds = head.features(images.thumbnails) @ head.weights.T
    right = log_expit(np.where(images.findings[:, known], odds, -odds)).sum(axis=1)
    return _of_patients(np.where(images.read, right, 0.0), images)


def _of_patients(values: NDArray[np.float64], images: PatientImages) -> Matrix:
    return np.asarray(patient_means(values[:, None], images.patients)[:, 0])
