r"""Directional privacy: von Mises-Fisher noise on the sphere of latent directions.

Only the direction v = z / |z| is used; the output y has density proportional to
exp(kappa <y, v>) on the unit sphere. Since <y, v - v'> is at most |v - v'|, the loss between two
images is at most kappa times the chord between their directions (and so kappa times their angle,
in radians), which is metric privacy; the largest chord is 2, so as local differential privacy

    epsilon = 2 * kappa

and not kappa. Weggenmann and Kerschbaum 2021 (directional statistics for text) and Faustini et
al. 2022 (arXiv 2211.04686, gradients) state the metric form. At equal epsilon it keeps no more of
a latent than Laplace noise does. The sampler works in floating point, for which there is no
proof: its guarantee says "idealised numerics".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Self

import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from latentdp.core.arrays import Latents, check_latents
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee, above
from latentdp.privacy.mechanisms.base import Mechanism, clip_norm, finite, positive, without_clip
from latentdp.privacy.noise import Noise
from latentdp.privacy.plan_description import Parameters
from latentdp.privacy.postprocessing import fresh_radius, jitter
from latentdp.privacy.samplers.uniform import normal

__all__ = ["VonMisesFisher", "examples", "mechanism"]


@dataclass(frozen=True, kw_only=True)
class VonMisesFisher(Mechanism):
    """Directional noise of concentration ``kappa``.

    Attributes:
        dimensions: Number of latent dimensions.
        kappa: Concentration of the noise around the direction.
    """

    name: ClassVar[str] = "vmf"
    dimensions: int
    kappa: float

    def __post_init__(self) -> None:
        if self.dimensions < 1:
            raise InputError("expected at least 1 dimension")
        if not (math.isfinite(self.kappa) and self.kappa > 0):
            raise InputError(f"expected a finite positive kappa, got {self.kappa}")

    @classmethod
    def calibrate(cls, epsilon: float, dimensions: int, clip: float | None = None) -> Self:
        """Kappa is half of epsilon."""
        positive(epsilon, dimensions)
        without_clip(cls.name, clip)
        return cls(dimensions=dimensions, kappa=epsilon / 2 * (1 - 1e-11))

    @property
    def guarantee(self) -> Guarantee:
        """Pure epsilon of the whole image, if the computer's numbers were real."""
        return Guarantee(epsilon=above(2 * self.kappa), exact=False)

    def perturb(self, latents: Latents, noise: Noise) -> NDArray[np.float64]:
        """Unit vectors ``(n, dimensions)``."""
        v = self.directions(latents)
        cosine = self._cosines(noise, len(v))
        if self.dimensions == 1:
            return cosine * v
        side = normal(noise, v.shape)
        side -= (side * v).sum(axis=1, keepdims=True) * v
        side /= np.linalg.norm(side, axis=1, keepdims=True)
        return np.asarray(cosine * v + np.sqrt(1 - cosine**2) * side)

    def repair(self, perturbed: NDArray[np.float64], noise: Noise) -> Latents:
        """A fresh length: exactly N(0, I) again if the image's latent was."""
        return fresh_radius(perturbed, noise)

    def log_likelihood(
        self, latents: Latents, perturbed: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Log density relative to the uniform distribution on the sphere, ``(n,)``."""
        cosine = (perturbed * self.directions(latents)).sum(axis=1)
        return np.asarray(self.kappa * cosine - _log_mean(self.dimensions, self.kappa))

    def directions(self, latents: Latents) -> NDArray[np.float64]:
        """Unit vectors ``(n, dimensions)``; a latent of length 0 has the first axis."""
        v = clip_norm(finite(check_latents(latents, self.dimensions)), 1.0, 2)
        largest = np.abs(v).max(axis=1, keepdims=True)
        v = v / np.where(largest > 0, largest, 1.0)  # so that tiny latents do not underflow
        v[largest[:, 0] == 0, 0] = 1.0
        return np.asarray(v / np.linalg.norm(v, axis=1, keepdims=True))

    def describe(self) -> Parameters:
        """Parameters and the metric that they are a guarantee in."""
        return {
            **super().describe(),
            "metric": "between two images: kappa times the distance of their unit vectors (at "
            "most 2; 1.414 for unrelated images in many dimensions)",
            "numerics": "idealised",
        }

    def _cosines(self, noise: Noise, n: int) -> NDArray[np.float64]:
        """<y, v>, ``(n, 1)``, by rejection (Wood 1994, algorithm VM*)."""
        if self.dimensions == 1:
            agree = jitter(noise, (n, 1)) + 0.5 < 1 / (1 + math.exp(-2 * self.kappa))
            return np.where(agree, 1.0, -1.0)
        free = self.dimensions - 1
        b = free / (2 * self.kappa + math.hypot(2 * self.kappa, free))
        x = (1 - b) / (1 + b)
        c = self.kappa * x + free * math.log1p(-(x**2))
        out = np.empty((n, 1))
        open_ = np.arange(n)
        while open_.size:
            u, accept = jitter(noise, (2, open_.size)) + 0.5 + 2.0**-54
            beta = betaincinv(free / 2, free / 2, u)
            w = (1 - (1 + b) * beta) / (1 - (1 - b) * beta)
            good = self.kappa * w + free * np.log1p(-x * w) - c >= np.log(accept)
            out[open_[good], 0] = w[good]
            open_ = open_[~good]
        return out


@lru_cache(maxsize=64)
def _log_mean(d: int, kappa: float) -> float:
    """Log of the mean of exp(kappa <y, v>) over uniform directions y."""
    with mpmath.workdps(30):
        return float(mpmath.log(mpmath.hyp0f1(mpmath.mpf(d) / 2, mpmath.mpf(kappa) ** 2 / 4)))


mechanism = VonMisesFisher
examples = (
    VonMisesFisher(dimensions=1, kappa=1.0),
    VonMisesFisher(dimensions=3, kappa=2.0),
    VonMisesFisher.calibrate(8.0, 4),
    VonMisesFisher.calibrate(4096.0, 4096),
)
