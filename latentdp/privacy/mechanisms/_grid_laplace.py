"""What both Laplace mechanisms share: clipped latents on a grid, and discrete Laplace noise."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Latents
from latentdp.errors import InputError
from latentdp.privacy.mechanisms.base import Mechanism, check_grid
from latentdp.privacy.noise import Noise
from latentdp.privacy.postprocessing import jitter
from latentdp.privacy.samplers.discrete_laplace import MAX_BASE, two_sided_geometric

__all__ = ["FINEST", "GridLaplace", "base_for"]

FINEST = 2**14  # base beyond which a coarser grid is taken


@dataclass(frozen=True, kw_only=True)
class GridLaplace(Mechanism):
    """A clip, a grid of ``2 * steps`` cells, and discrete Laplace noise on each element.

    Attributes:
        dimensions: Number of latent dimensions.
        clip: Public bound, in standard deviations of a latent element.
        steps: Grid cells from 0 to ``clip``.
        base: Grid cells over which the noise's probability halves.
    """

    dimensions: int
    clip: float
    steps: int
    base: int

    def __post_init__(self) -> None:
        check_grid(self.dimensions, self.clip, self.steps)
        two_sided_geometric(self.base)

    @abstractmethod
    def quantise(self, latents: Latents) -> NDArray[np.int64]:
        """Twice the clipped grid index of each element, ``(n, dimensions)``; even integers."""

    @property
    def scale(self) -> float:
        """Scale b of the Laplace distribution that the noise discretises, in latent units."""
        return self.clip / self.steps * self.base / math.log(2)

    def perturb(self, latents: Latents, noise: Noise) -> NDArray[np.int64]:
        """Twice the noisy grid index of each element, ``(n, dimensions)``; odd integers."""
        clipped = self.quantise(latents)
        draws = two_sided_geometric(self.base).draw(noise, clipped.size)
        return clipped + draws.reshape(clipped.shape)

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

    def spread(self, perturbed: NDArray[np.int64], noise: Noise) -> Latents:
        """Noisy grid points in latent units, each spread over its cell."""
        return (perturbed / 2 + jitter(noise, perturbed.shape)) * (self.clip / self.steps)

    @classmethod
    def least_noise(
        cls, epsilon: float, dimensions: int, clip: float, steps: int, base: int
    ) -> Self:
        """The instance of this grid that spends at most ``epsilon``, with the least noise.

        Args:
            epsilon: Of the image, in nats.
            dimensions: Number of latent dimensions.
            clip: Public bound, in standard deviations of a latent element.
            steps: Grid cells from 0 to ``clip``.
            base: Where to begin, by the ideal loss.

        Raises:
            InputError: Epsilon is too small for so many dimensions.
        """
        if base > MAX_BASE:
            raise InputError(
                f"epsilon {epsilon:g} is too small for {dimensions} dimensions; "
                "spend it on fewer of them"
            )
        instance = cls(dimensions=dimensions, clip=clip, steps=steps, base=base)
        while instance.guarantee.epsilon > epsilon:  # the slack and the rounding of the claim
            instance = cls(dimensions=dimensions, clip=clip, steps=steps, base=instance.base + 1)
        return instance


def base_for(epsilon: float, steps: int) -> int:
    """The base at which the whole width of a grid costs ``epsilon``, rounded up."""
    return math.ceil(2 * steps * math.log(2) / epsilon) + 1
