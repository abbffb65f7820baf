"""Free repairs after noise: back to a latent of the kind that the flow was trained on.

Everything here sees only what a mechanism has already released (post-processing), so it costs
nothing and needs no exact arithmetic.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri_exp

from latentdp.noise import Noise

__all__ = ["jitter", "to_normal"]


def jitter(noise: Noise, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Uniform in [-1/2, 1/2): spreads a grid point over its cell."""
    words = noise.words(math.prod(shape)).reshape(shape)
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53 - 0.5


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
