r"""Per-element Laplace, as in DP-GLOW, on an integer grid with the right sensitivity.

Each element is clipped to [-clip, clip], rounded to a grid of ``2 * steps`` cells, and receives
discrete Laplace noise (`latentdp.samplers.TwoSidedGeometric`). Two images can differ by the
whole width 2 * clip in every element, so the guarantee of one image is

    epsilon = dimensions * (2 * steps * ln 2 / base + slack)

and not the per-element number that DP-GLOW (Shibata et al. 2022, arXiv 2212.10688) quotes.

After the noise, the exact distribution function of clip + Laplace of a standard normal maps each
element back to N(0, 1): post-processing, so free, and the flow then decodes a latent of the kind
that it was trained on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri_exp

from latentdp.arrays import Latents, check_latents
from latentdp.errors import InputError
from latentdp.guarantee import Guarantee, above
from latentdp.mechanisms.base import finite
from latentdp.noise import Noise
from latentdp.samplers import MAX_BASE, two_sided_geometric

__all__ = ["Laplace", "examples", "mechanism"]


@dataclass(frozen=True, kw_only=True)
class Laplace:
    """Per-element clip and discrete Laplace noise.

    Attributes:
        dimensions: Number of latent dimensions.
        clip: Bound of each element, in standard deviations of the latent.
        steps: Grid cells from 0 to ``clip``.
        base: Grid cells over which the noise's probability halves.
    """

    dimensions: int
    clip: float
    steps: int
    base: int

    def __post_init__(self) -> None:
        if self.dimensions < 1 or self.steps < 1:
            raise InputError("expected at least 1 dimension and 1 grid step")
        if not (math.isfinite(self.clip) and self.clip > 0):
            raise InputError(f"expected a finite positive clip, got {self.clip}")
        two_sided_geometric(self.base)

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
        if not (math.isfinite(epsilon) and epsilon > 0):
            raise InputError(f"expected a finite positive epsilon, got {epsilon}")
        if dimensions < 1:
            raise InputError(f"expected at least 1 dimension, got {dimensions}")
        each = epsilon / dimensions
        if clip is None:
            clip = 1.0 if each <= 8 else 2.0 if each <= 20 else 3.0
        if each < 1e-9:
            raise InputError(
                f"epsilon {epsilon:g} is too small for {dimensions} dimensions; "
                "spend it on fewer of them"
            )
        steps = 4096
        while steps > 1 and _base_for(each, steps) > 2**14:
            steps //= 2
        base = _base_for(each, steps)
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
    def epsilon_per_element(self) -> float:
        """What one latent element costs. Never to be printed alone."""
        return above(two_sided_geometric(self.base).loss(2 * self.steps))

    @property
    def scale(self) -> float:
        """Scale b of the Laplace distribution that the noise discretises, in latent units."""
        return self.clip / self.steps * self.base / math.log(2)

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

    def privatize(self, latents: Latents, /, *, noise: Noise) -> Latents:
        """Latents ``(n, dimensions)``: clipped, noised, and mapped back to N(0, 1)."""
        clipped = self.quantise(latents)
        noisy = clipped + two_sided_geometric(self.base).draw(noise, clipped.size).reshape(
            clipped.shape
        )
        # From here on only the noisy integers are looked at: post-processing.
        jitter = (noise.words(noisy.size) >> np.uint64(11)).astype(np.float64) * 2.0**-53 - 0.5
        cell = self.clip / self.steps
        return to_normal((noisy / 2 + jitter.reshape(noisy.shape)) * cell, self.clip, self.scale)

    def quantise(self, latents: Latents) -> NDArray[np.int64]:
        """Twice the clipped grid index of each element: even integers within +-2 ``steps``."""
        values = finite(check_latents(latents, self.dimensions))
        grid = np.rint(np.clip(values, -self.clip, self.clip) * (self.steps / self.clip))
        return 2 * np.clip(grid, -self.steps, self.steps).astype(np.int64)

    def describe(self) -> dict[str, Any]:
        """Parameters and what follows from them."""
        return {
            "mechanism": "laplace",
            "dimensions": self.dimensions,
            "clip": self.clip,
            "steps": self.steps,
            "base": self.base,
            "scale": self.scale,
            "epsilon_per_element": self.epsilon_per_element,
        }


def to_normal(y: NDArray[np.float64], c: float, b: float) -> NDArray[np.float64]:
    """Phi^-1(F(y)) with F the distribution of clip(Z, -c, c) + Laplace(b), Z standard normal.

    F(y) = Phi(-c) [F_L(y+c) + F_L(y-c)] + Phi(t) - Phi(-c)
           - e^(k - y/b) [Phi(t - 1/b) - Phi(-c - 1/b)] / 2
           + e^(k + y/b) [Phi(c + 1/b) - Phi(t + 1/b)] / 2,   t = clip(y, -c, c), k = 1 / (2 b^2).

    Evaluated at -|y| and mirrored; far in the tail F is Laplace's own exponential.
    """
    side = -np.abs(y)
    t = np.clip(side, -c, c)
    k = 0.5 / b**2
    log_normal_below = log_ndtr(-c)
    with np.errstate(divide="ignore", under="ignore"):
        masses = [
            log_normal_below + _log_laplace(side + c, b),
            log_normal_below + _log_laplace(side - c, b),
            _log_difference(log_ndtr(t), log_ndtr(np.full_like(t, -c))),
            # e^(k + y/b) [...] / 2, as a mirrored difference of upper tails
            k
            + side / b
            + math.log(0.5)
            + _log_difference(log_ndtr(-t - 1 / b), log_ndtr(-c - 1 / b)),
        ]
        positive = np.logaddexp.reduce(masses)
        negative = (
            k
            - side / b
            + math.log(0.5)
            + _log_difference(log_ndtr(t - 1 / b), log_ndtr(np.full_like(t, -c - 1 / b)))
        )
        log_f = _log_difference(positive, negative)
    mirrored = -np.sign(y) * ndtri_exp(np.minimum(log_f, math.log(0.5)))
    return np.asarray(mirrored, dtype=np.float64)


def _log_laplace(y: NDArray[np.float64], b: float) -> NDArray[np.float64]:
    """Log distribution function of Laplace(b)."""
    return np.where(
        y < 0, math.log(0.5) + np.minimum(y, 0) / b, np.log1p(-0.5 * np.exp(-np.abs(y) / b))
    )


def _log_difference(a: Any, b: Any) -> NDArray[np.float64]:
    """log(e^a - e^b) for a >= b; -inf where they are equal."""
    return np.asarray(a + np.log(-np.expm1(np.minimum(b - a, 0.0))))


def _base_for(epsilon_per_element: float, steps: int) -> int:
    return math.ceil(2 * steps * math.log(2) / epsilon_per_element) + 1


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
