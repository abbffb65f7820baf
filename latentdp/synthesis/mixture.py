"""What a method learns: a few Gaussians over the coarsest latents of a flow.

Finer latents follow the flow's own prior, which knows what the detail of a chest looks like.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Latents
from latentdp.errors import InputError
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.uniform import normal

__all__ = ["LatentMixture", "shrunk"]

Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LatentMixture:
    """Gaussians with diagonal covariance.

    Attributes:
        weights: ``(k,)``, at least 0; they add up to 1.
        means: ``(k, m)`` of the coarsest latents.
        deviations: ``(k, m)``, above 0.

    Raises:
        InputError: Shapes or values that are none.
    """

    weights: NDArray[np.float64]
    means: Matrix
    deviations: Matrix

    def __post_init__(self) -> None:
        k, m = self.means.shape
        right = self.weights.shape == (k,) and self.deviations.shape == (k, m)
        finite = all(np.isfinite(x).all() for x in (self.weights, self.means, self.deviations))
        if not (right and finite and self.weights.min() >= 0 and self.deviations.min() > 0):
            raise InputError("expected a mixture of finite Gaussians with weights of at least 0")
        if abs(self.weights.sum() - 1) > 1e-6:
            raise InputError("expected the weights of a mixture to add up to 1")

    @classmethod
    def prior(cls, m: int) -> Self:
        """The flow's own: one standard normal in ``m`` dimensions."""
        return cls(weights=np.ones(1), means=np.zeros((1, m)), deviations=np.ones((1, m)))

    @classmethod
    def around(cls, latents: Matrix, weights: NDArray[np.float64], width: float) -> Self:
        """A finite set of latents, with a little room around each.

        What is drawn around a usual latent is as long as a usual one.

        Args:
            latents: ``(k, m)``.
            weights: ``(k,)``, which add up to 1.
            width: Deviation of each Gaussian, in (0, 1).
        """
        return cls(
            weights=weights,
            means=math.sqrt(1 - width**2) * latents,
            deviations=np.full_like(latents, width),
        )

    def draw(self, noise: Noise, n: int, d: int) -> Latents:
        """``n`` latents ``(n, d)``; those after the coarsest are standard normal.

        Not a private draw: the mixture is public, and floats are good enough.
        """
        latents = normal(noise, (n, d))
        # In the middle of one of 2 ** 52 equal intervals: below 1, where the sums end.
        uniform = ((noise.words(n) >> np.uint64(12)).astype(np.float64) + 0.5) / 2.0**52
        last = int(np.flatnonzero(self.weights)[-1])
        component = np.minimum(np.searchsorted(np.cumsum(self.weights), uniform, "right"), last)
        m = self.means.shape[1]
        latents[:, :m] = self.means[component] + self.deviations[component] * latents[:, :m]
        return latents


def shrunk(values: Matrix, towards: Matrix, variance: float, groups: int) -> Matrix:
    """James-Stein estimates of vectors ``(m,)``, group by group.

    Each group of noisy entries moves towards its target as far as noise explains their distance
    (the positive-part estimator, Efron and Morris 1973).

    Args:
        values: ``(m,)`` with independent noise on each entry.
        towards: ``(m,)``, where they are expected.
        variance: Of the noise.
        groups: Of equally many neighbouring entries.
    """
    away = (values - towards).reshape(groups, -1)
    energy = (away**2).sum(axis=1, keepdims=True)
    explained = max(away.shape[1] - 2, 1) * variance
    kept = np.maximum(0.0, 1 - explained / np.maximum(energy, np.finfo(np.float64).tiny))
    return np.asarray(towards + (kept * away).ravel())
