r"""Laplace noise behind a clip of the whole image's l1 norm, with the right factor 2.

The latent of an image is scaled down to an l1 norm of at most ``clip`` and truncated to a grid,
which never makes it longer. Two such vectors are up to 2 * clip apart (replace-one), so

    epsilon = 2 * steps * ln 2 / base + slack for each element that can differ.

CADP (Toelle et al. 2022, arXiv 2207.14625) clips by a matrix norm over the batch and claims half
of this; `latentdp.privacy.mechanisms.laplace` clips each element instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Latents, check_latents
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee, above
from latentdp.privacy.mechanisms.base import Mechanism, check_grid, clip_norm, finite, positive
from latentdp.privacy.noise import Noise
from latentdp.privacy.postprocessing import jitter, l1_to_normal
from latentdp.privacy.samplers.discrete_laplace import MAX_BASE, two_sided_geometric

__all__ = ["LaplaceL1", "examples", "mechanism"]


@dataclass(frozen=True, kw_only=True)
class LaplaceL1(Mechanism):
    """Per-image l1 clip and discrete Laplace noise.

    Attributes:
        dimensions: Number of latent dimensions.
        clip: Bound of the image's l1 norm, in standard deviations of a latent element.
        steps: Grid cells from 0 to ``clip``.
        base: Grid cells over which the noise's probability halves.
    """

    name: ClassVar[str] = "laplace_l1"
    dimensions: int
    clip: float
    steps: int
    base: int

    def __post_init__(self) -> None:
        check_grid(self.dimensions, self.clip, self.steps)
        two_sided_geometric(self.base)

    @classmethod
    def calibrate(cls, epsilon: float, dimensions: int, clip: float | None = None) -> Self:
        """The finest grid, at least noise, that spends at most ``epsilon`` on the whole image.

        Args:
            epsilon: Of the image, in nats; finite and positive.
            dimensions: Number of latent dimensions.
            clip: Of the l1 norm; by default the mean l1 norm of a standard normal latent, and two
                standard deviations more above 8 nats an element.

        Raises:
            InputError: No such grid: epsilon is too small for so many dimensions, or no budget.
        """
        positive(epsilon, dimensions)
        if clip is None:
            clip = dimensions * math.sqrt(2 / math.pi)
            if epsilon > 8 * dimensions:
                clip += 2 * math.sqrt(dimensions * (1 - 2 / math.pi))
        cells = 2.0**16  # in one standard deviation of an element
        steps = math.ceil(clip * cells)
        while cells > 4 and _base_for(epsilon, steps) > 2**14:
            cells /= 2
            steps = math.ceil(clip * cells)
        base = _base_for(epsilon, steps)
        if base > MAX_BASE:
            raise InputError(
                f"epsilon {epsilon:g} is too small for {dimensions} dimensions; "
                "spend it on fewer of them"
            )
        made = cls(dimensions=dimensions, clip=clip, steps=steps, base=base)
        while made.guarantee.epsilon > epsilon:  # the slack and the rounding of the claim
            made = cls(dimensions=dimensions, clip=clip, steps=steps, base=made.base + 1)
        return made

    @property
    def guarantee(self) -> Guarantee:
        """Pure epsilon of the whole image."""
        noise = two_sided_geometric(self.base)
        differing = min(self.dimensions, 2 * self.steps)
        ideal = 2 * self.steps * math.log(2) / self.base
        return Guarantee(epsilon=above(ideal + differing * noise.slack))

    def perturb(self, latents: Latents, noise: Noise) -> NDArray[np.int64]:
        """Twice the noisy grid index of each element, ``(n, dimensions)``; odd integers."""
        clipped = self.quantise(latents)
        draws = two_sided_geometric(self.base).draw(noise, clipped.size)
        return clipped + draws.reshape(clipped.shape)

    def repair(self, perturbed: NDArray[np.int64], noise: Noise) -> Latents:
        """Each element mapped back to N(0, 1) by the distribution of clip and noise."""
        cell = self.clip / self.steps
        cells = perturbed / 2 + jitter(noise, perturbed.shape)
        return l1_to_normal(cells * cell, self.clip, cell * self.base / math.log(2))

    def log_likelihood(
        self, latents: Latents, perturbed: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Sum over the elements, ``(n,)``."""
        twice = perturbed - self.quantise(latents)
        logs = two_sided_geometric(self.base).log_probability(twice)
        return np.asarray(logs.sum(axis=1))

    def outcomes(self) -> NDArray[np.int64] | None:
        """For one element: all grid indices up to the far tails."""
        if self.dimensions > 1:
            return None
        reach = 2 * self.steps + 80 * self.base
        return np.arange(-reach - 1, reach + 2, 2)[:, None]

    def quantise(self, latents: Latents) -> NDArray[np.int64]:
        """Twice the clipped grid index of each element; the l1 norm is at most 2 ``steps``."""
        values = clip_norm(finite(check_latents(latents, self.dimensions)), self.clip, 1)
        grid = np.trunc(values * (self.steps / self.clip)).astype(np.int64)
        over = np.abs(grid).sum(axis=1) > self.steps  # by rounding, at most by a step or two
        while over.any():
            grid[over] -= np.sign(grid[over])
            over = np.abs(grid).sum(axis=1) > self.steps
        return 2 * grid


def _base_for(epsilon: float, steps: int) -> int:
    return math.ceil(2 * steps * math.log(2) / epsilon) + 1


mechanism = LaplaceL1
examples = (
    LaplaceL1(dimensions=1, clip=1.0, steps=4, base=16),
    LaplaceL1(dimensions=3, clip=2.0, steps=64, base=256),
    LaplaceL1.calibrate(8.0, 4),
    LaplaceL1.calibrate(4096.0, 4096),
)
