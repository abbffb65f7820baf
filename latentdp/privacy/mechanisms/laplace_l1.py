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
from latentdp.privacy.guarantee import Guarantee, above
from latentdp.privacy.mechanisms._grid_laplace import FINEST, GridLaplace, base_for
from latentdp.privacy.mechanisms.base import clip_norm, finite, positive
from latentdp.privacy.noise import Noise
from latentdp.privacy.postprocessing import l1_to_normal
from latentdp.privacy.samplers.discrete_laplace import two_sided_geometric

__all__ = ["LaplaceL1", "examples", "mechanism"]


@dataclass(frozen=True, kw_only=True)
class LaplaceL1(GridLaplace):
    """Per-image l1 clip and discrete Laplace noise.

    Attributes:
        dimensions: Number of latent dimensions.
        clip: Bound of the image's l1 norm, in standard deviations of a latent element.
        steps: Grid cells from 0 to ``clip``.
        base: Grid cells over which the noise's probability halves.
    """

    name: ClassVar[str] = "laplace_l1"

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
        while cells > 4 and base_for(epsilon, steps) > FINEST:
            cells /= 2
            steps = math.ceil(clip * cells)
        return cls.least_noise(epsilon, dimensions, clip, steps, base_for(epsilon, steps))

    @property
    def guarantee(self) -> Guarantee:
        """Pure epsilon of the whole image."""
        noise = two_sided_geometric(self.base)
        differing = min(self.dimensions, 2 * self.steps)
        ideal = 2 * self.steps * math.log(2) / self.base
        return Guarantee(epsilon=above(ideal + differing * noise.slack))

    def repair(self, perturbed: NDArray[np.int64], noise: Noise) -> Latents:
        """Each element mapped back to N(0, 1) by the distribution of clip and noise."""
        return l1_to_normal(self.spread(perturbed, noise), self.clip, self.scale)

    def quantise(self, latents: Latents) -> NDArray[np.int64]:
        """Twice the clipped grid index of each element; the l1 norm is at most 2 ``steps``."""
        values = clip_norm(finite(check_latents(latents, self.dimensions)), self.clip, 1)
        grid = np.trunc(values * (self.steps / self.clip)).astype(np.int64)
        over = np.abs(grid).sum(axis=1) > self.steps  # by rounding, at most by a step or two
        while over.any():
            grid[over] -= np.sign(grid[over])
            over = np.abs(grid).sum(axis=1) > self.steps
        return 2 * grid


mechanism = LaplaceL1
examples = (
    LaplaceL1(dimensions=1, clip=1.0, steps=4, base=16),
    LaplaceL1(dimensions=3, clip=2.0, steps=64, base=256),
    LaplaceL1.calibrate(8.0, 4),
    LaplaceL1.calibrate(4096.0, 4096),
)
