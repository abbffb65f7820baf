r"""Gaussian noise behind a clip of the whole image's l2 norm, analytically calibrated.

The latent of an image is scaled down to a length of at most ``clip`` and truncated to a grid,
which never makes it longer. Two such vectors are up to D = 2 * clip apart (replace-one). With
noise of standard deviation s the exact trade-off is (Balle and Wang 2018, arXiv 1805.06530,
theorem 8)

    delta = Phi(D / 2s - epsilon s / D) - exp(epsilon) Phi(-D / 2s - epsilon s / D).

The noise is a normal variable rounded to the grid, drawn exactly
(`latentdp.privacy.samplers.rounded_gaussian`): the same as continuous noise whose sum is rounded,
so the formula holds by post-processing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_ndtr

from latentdp.core.arrays import Latents, check_latents
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee, above
from latentdp.privacy.mechanisms.base import Mechanism, check_grid, clip_norm, finite, positive
from latentdp.privacy.noise import Noise
from latentdp.privacy.plan_description import Parameters
from latentdp.privacy.postprocessing import jitter, l2_to_normal
from latentdp.privacy.samplers.rounded_gaussian import rounded_normal

__all__ = ["Gaussian", "examples", "mechanism"]

DELTA = 1e-6
MAX_SCALE = 2**16  # grid cells


@dataclass(frozen=True, kw_only=True)
class Gaussian(Mechanism):
    """Per-image l2 clip and rounded normal noise.

    Attributes:
        dimensions: Number of latent dimensions.
        clip: Bound of the image's length, in standard deviations of a latent element.
        steps: Grid cells from 0 to ``clip``.
        scale: Standard deviation of the noise in grid cells.
        delta: At which epsilon is stated.
    """

    name: ClassVar[str] = "gaussian"
    dimensions: int
    clip: float
    steps: int
    scale: float
    delta: float = DELTA

    def __post_init__(self) -> None:
        check_grid(self.dimensions, self.clip, self.steps)
        if not 0 < self.delta < 1:
            raise InputError(f"expected delta in (0, 1), got {self.delta}")
        rounded_normal(self.scale)

    @classmethod
    def calibrate(cls, epsilon: float, dimensions: int, clip: float | None = None) -> Self:
        """The least noise that spends at most ``epsilon`` (at delta 1e-6) on the whole image.

        Args:
            epsilon: Of the image, in nats; finite and positive.
            dimensions: Number of latent dimensions.
            clip: Of the length; by default sqrt(dimensions), about the length of a standard
                normal latent, and 2 more above 8 nats an element.

        Raises:
            InputError: Epsilon is too small for so many dimensions, or no budget.
        """
        positive(epsilon, dimensions)
        if clip is None:
            clip = math.sqrt(dimensions) + (2 if epsilon > 8 * dimensions else 0)
        # Log of the noise per sensitivity; then a little more, as the root is found to 1e-12.
        root = brentq(
            lambda t: max(log_delta(epsilon, math.exp(t)), -1e9) - math.log(DELTA),
            math.log(1e-9),
            math.log(1e9),
            xtol=1e-12,
        )
        ratio = (1 + 1e-9) * math.exp(root)
        steps = math.ceil(1024 * clip)
        while 2 * steps * ratio > MAX_SCALE and steps > max(1, 4 * clip):
            steps = math.ceil(steps / 2)
        scale = 2 * steps * ratio * (1 + 1e-12)
        if scale > 4 * MAX_SCALE:
            raise InputError(
                f"epsilon {epsilon:g} is too small for {dimensions} dimensions; "
                "spend it on fewer of them"
            )
        instance = cls(dimensions=dimensions, clip=clip, steps=steps, scale=max(scale, 0.5))
        while instance.guarantee.epsilon > epsilon:
            instance = replace(instance, scale=instance.scale * 1.0001)
        return instance

    @property
    def guarantee(self) -> Guarantee:
        """(epsilon, delta) of the whole image."""
        return self.approximate(self.delta)

    def approximate(self, delta: float) -> Guarantee:
        """Epsilon at this delta: the smallest with a trade-off below it."""
        ratio, target = self.scale / (2 * self.steps), math.log(delta)
        if log_delta(0.0, ratio) <= target:
            return Guarantee(epsilon=0.0, delta=delta)
        high = 1.0
        while log_delta(high, ratio) > target:
            high *= 2
        epsilon = brentq(lambda e: log_delta(e, ratio) - target, 0.0, high, xtol=1e-12, rtol=1e-12)
        return Guarantee(epsilon=above(epsilon + 1e-9), delta=delta)

    def perturb(self, latents: Latents, noise: Noise) -> NDArray[np.int64]:
        """Noisy grid index of each element, ``(n, dimensions)``."""
        clipped = self.quantise(latents)
        draws = rounded_normal(self.scale).draw(noise, clipped.size)
        return clipped + draws.reshape(clipped.shape)

    def repair(self, perturbed: NDArray[np.int64], noise: Noise) -> Latents:
        """Each row stretched to the length that it has in N(0, I), by its exact distribution."""
        cell = self.clip / self.steps
        noisy = (perturbed + jitter(noise, perturbed.shape)) * cell
        return l2_to_normal(noisy, self.clip, self.scale * cell)

    def log_likelihood(
        self, latents: Latents, perturbed: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Sum over the elements, ``(n,)``."""
        logs = rounded_normal(self.scale).log_probability(perturbed - self.quantise(latents))
        return np.asarray(logs.sum(axis=1))

    def outcomes(self) -> NDArray[np.int64] | None:
        """For one element: all grid indices up to the far tails."""
        if self.dimensions > 1:
            return None
        reach = self.steps + math.ceil(9 * self.scale)
        return np.arange(-reach, reach + 1)[:, None]

    def quantise(self, latents: Latents) -> NDArray[np.int64]:
        """Clipped grid index of each element; the length is at most ``steps``."""
        values = clip_norm(finite(check_latents(latents, self.dimensions)), self.clip, 2)
        grid = np.trunc(values * (self.steps / self.clip)).astype(np.int64)
        over = (grid**2).sum(axis=1) > self.steps**2  # by rounding, at most by a step or two
        while over.any():
            grid[over] -= np.sign(grid[over])
            over = (grid**2).sum(axis=1) > self.steps**2
        return grid

    def describe(self) -> Parameters:
        """Parameters and what follows from them."""
        return {
            **super().describe(),
            "standard_deviation": self.scale * self.clip / self.steps,
        }


def log_delta(epsilon: float, ratio: float) -> float:
    """Log of the trade-off's delta for a noise-to-sensitivity ratio s / D."""
    first = float(log_ndtr(0.5 / ratio - epsilon * ratio))
    second = epsilon + float(log_ndtr(-0.5 / ratio - epsilon * ratio))
    gap = second - first
    return first + math.log(-math.expm1(gap)) if gap < 0 else -math.inf


mechanism = Gaussian
examples = (
    Gaussian(dimensions=1, clip=1.0, steps=2, scale=6.0),
    Gaussian(dimensions=3, clip=2.0, steps=64, scale=128.0),
    Gaussian.calibrate(8.0, 4),
    Gaussian.calibrate(100.0, 4096),
)
