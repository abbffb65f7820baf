r"""Per-element Laplace, as in DP-GLOW, on an integer grid with the right sensitivity.

Each element is clipped to [-clip, clip], rounded to a grid of ``2 * steps`` cells, and receives
discrete Laplace noise (`latentdp.privacy.samplers.discrete_laplace.TwoSidedGeometric`). Two images
can differ by the whole width 2 * clip in every element, so the guarantee of one image is

    epsilon = dimensions * (2 * steps * ln 2 / base + slack)

and not the per-element number that DP-GLOW (Shibata et al. 2022, arXiv 2212.10688) quotes.

After the noise, the exact distribution function of clip + Laplace of a standard normal maps each
element back to N(0, 1): post-processing, so free, and the flow then decodes a latent of the kind
that it was trained on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Latents, check_latents
from latentdp.privacy.guarantee import Guarantee, above
from latentdp.privacy.mechanisms._grid_laplace import FINEST, GridLaplace, base_for
from latentdp.privacy.mechanisms.base import Part, finite, positive
from latentdp.privacy.noise import Noise
from latentdp.privacy.plan_description import Parameters
from latentdp.privacy.postprocessing import to_normal
from latentdp.privacy.samplers.discrete_laplace import two_sided_geometric

__all__ = ["Laplace", "examples", "mechanism"]


@dataclass(frozen=True, kw_only=True)
class Laplace(GridLaplace):
    """Per-element clip and discrete Laplace noise.

    Attributes:
        dimensions: Number of latent dimensions.
        clip: Bound of each element, in standard deviations of the latent.
        steps: Grid cells from 0 to ``clip``.
        base: Grid cells over which the noise's probability halves.
    """

    name: ClassVar[str] = "laplace"

    @classmethod
    def calibrate(cls, epsilon: float, dimensions: int, clip: float | None = None) -> Self:
        """The finest grid, at least noise, that spends at most ``epsilon`` on the whole image.

        Args:
            epsilon: Of the image, in nats; finite and positive.
            dimensions: Number of latent dimensions.
            clip: Public constant; by default 1 up to 8 nats an element, 2 up to 20, then 3.

        Raises:
            InputError: No such grid: epsilon is too small for so many dimensions, or not
                positive and finite.
        """
        positive(epsilon, dimensions)
        each = epsilon / dimensions
        if clip is None:
            clip = 1.0 if each <= 8 else 2.0 if each <= 20 else 3.0
        steps = 4096
        while steps > 1 and base_for(each, steps) > FINEST:
            steps //= 2
        return cls.least_noise(epsilon, dimensions, clip, steps, base_for(each, steps))

    @property
    def epsilon_per_element(self) -> float:
        """What one latent element costs. Never to be printed alone."""
        return above(two_sided_geometric(self.base).loss(2 * self.steps))

    @property
    def guarantee(self) -> Guarantee:
        """Pure epsilon of the whole image: the sum over its elements."""
        return Guarantee(epsilon=above(self.dimensions * self.epsilon_per_element))

    def approximate(self, delta: float) -> Guarantee:
        """The same noise as (epsilon, delta), by the privacy-loss distribution.

        Worst case: all elements at opposite clips. The half-integer noise is continuous Laplace
        noise rounded, so the accountant's Laplace mechanism bounds it; the table's slack is added.
        """
        slack = self.dimensions * two_sided_geometric(self.base).slack
        ideal = _accountant_epsilon(
            self.base / (2 * self.steps * math.log(2)), self.dimensions, delta * math.exp(-slack)
        )
        return Guarantee(epsilon=min(above(ideal + slack), self.guarantee.epsilon), delta=delta)

    def repair(self, perturbed: NDArray[np.int64], noise: Noise) -> Latents:
        """Each element mapped back to N(0, 1) by the exact distribution of clip and noise."""
        return to_normal(self.spread(perturbed, noise), self.clip, self.scale)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its elements."""
        return ((replace(self, dimensions=1), self.dimensions),)

    def quantise(self, latents: Latents) -> NDArray[np.int64]:
        """Twice the clipped grid index of each element: even integers within +-2 ``steps``."""
        values = finite(check_latents(latents, self.dimensions))
        grid = np.rint(np.clip(values, -self.clip, self.clip) * (self.steps / self.clip))
        return 2 * np.clip(grid, -self.steps, self.steps).astype(np.int64)

    def describe(self) -> Parameters:
        """Parameters and what follows from them."""
        return {
            **super().describe(),
            "scale": self.scale,
            "epsilon_per_element": self.epsilon_per_element,
        }


@lru_cache(maxsize=64)
def _accountant_epsilon(parameter: float, count: int, delta: float) -> float:
    from dp_accounting.pld import privacy_loss_distribution as pld

    # A tenth of a percent of one element's loss, but never so fine that the sum has more than
    # some millions of cells. The estimate is pessimistic at any interval.
    interval = max(1e-3 / parameter, count / parameter / 2e6)
    one = pld.from_laplace_mechanism(parameter, value_discretization_interval=interval)
    return float(one.self_compose(count).get_epsilon_for_delta(delta))


mechanism = Laplace
examples = (
    Laplace(dimensions=1, clip=1.0, steps=4, base=16),
    Laplace(dimensions=3, clip=2.0, steps=64, base=256),
    Laplace.calibrate(8.0, 4),
    Laplace.calibrate(4096.0, 4096),
)
