"""Free repairs after noise: back to a latent of the kind that the flow was trained on.

Everything here sees only what a mechanism has already released (post-processing), so it costs
nothing and needs no exact arithmetic.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chndtr, gammaincinv, log_ndtr, ndtri, ndtri_exp

from latentdp.privacy.noise import Noise, SeededNoise
from latentdp.privacy.samplers.uniform import normal, permutation

__all__ = ["fresh_radius", "jitter", "l1_to_normal", "l2_to_normal", "to_normal"]


def jitter(noise: Noise, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Uniform in [-1/2, 1/2): spreads a grid point over its cell."""
    words = noise.words(math.prod(shape)).reshape(shape)
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53 - 0.5


def fresh_radius(directions: NDArray[np.float64], noise: Noise) -> NDArray[np.float64]:
    """Rows ``(n, d)`` of any length but 0, given the length of a standard normal vector.

    A direction that is uniform for normal latents becomes N(0, I) exactly.
    """
    n, d = directions.shape
    uniform = jitter(noise, (n, 1)) + 0.5 + 2.0**-54
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    return np.asarray(directions / length * _radius(uniform, d))


def _radius(level: NDArray[np.float64], d: int) -> NDArray[np.float64]:
    """Quantiles of the length of a standard normal vector in d dimensions."""
    return np.asarray(np.sqrt(2 * gammaincinv(d / 2, level)))


def l2_to_normal(y: NDArray[np.float64], bound: float, scale: float) -> NDArray[np.float64]:
    """Rows ``(n, d)`` of (N(0, I) clipped to length ``bound``) + N(0, scale^2 I), back to N(0, I).

    Such a row has a uniform direction and, independent of it, a length whose distribution
    function maps it to the length of a standard normal vector (by a table of 256 nodes).
    """
    d = y.shape[1]
    length = np.linalg.norm(y, axis=1, keepdims=True)
    nodes, values = _length_map(d, bound, scale)
    wanted = np.interp(length, nodes, values, right=np.inf)
    far = np.isinf(wanted)  # beyond the table: in proportion
    wanted[far] = (length * values[-1] / nodes[-1])[far]
    return np.asarray(y * (wanted / np.where(length > 0, length, 1.0)))


@lru_cache(maxsize=16)
def _length_map(
    d: int, bound: float, scale: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    levels = (np.arange(64) + 0.5) / 64
    clipped = np.minimum(_radius(levels, d), bound)
    inner, weights = np.unique(clipped, return_counts=True)
    middle = math.hypot(float(inner[-1]), scale * math.sqrt(d))
    spread = scale * (9 + float(inner[-1]) / middle * 9)
    nodes = np.linspace(
        max(0.0, float(inner[0]) - spread, middle - 2 * spread), middle + spread, 256
    )
    below = chndtr((nodes[:, None] / scale) ** 2, d, (inner / scale) ** 2) @ weights / 64
    levels = np.clip(np.maximum.accumulate(np.nan_to_num(below)), 1e-15, 1 - 1e-15)
    return np.concatenate([[0.0], nodes]), np.concatenate([[0.0], _radius(levels, d)])


def l1_to_normal(y: NDArray[np.float64], bound: float, b: float) -> NDArray[np.float64]:
    """Rows ``(n, d)`` of (N(0, I) clipped to an l1 norm of ``bound``) + Laplace(b), to N(0, 1).

    Element by element, by the marginal distribution function of the sum.
    """
    d = y.shape[1]
    if d == 1:
        return to_normal(y, bound, b)
    nodes, values = _l1_map(d, bound, b)
    side = np.minimum(np.abs(y), nodes[-1])
    return np.asarray(np.sign(y) * np.interp(side, nodes, values))


@lru_cache(maxsize=16)
def _l1_map(d: int, bound: float, b: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes in [0, far] of |y|, and the normal quantiles of their upper tails."""
    draws = 8192
    first = -ndtri((permutation(SeededNoise(1), draws) + 0.5) / (2 * draws))  # public, not noise
    if d <= 65:
        rest = np.abs(normal(SeededNoise(2), (draws, d - 1))).sum(axis=1)
    else:  # the central limit theorem
        mean, sd = (d - 1) * math.sqrt(2 / math.pi), math.sqrt((d - 1) * (1 - 2 / math.pi))
        rest = mean + sd * normal(SeededNoise(2), (draws,))
    inner = np.sort(first * np.minimum(1.0, bound / (first + rest)))
    inner = inner.reshape(1024, -1).mean(axis=1)  # of each sign with the same weight
    reach = float(inner[-1]) + 40 * b
    near = np.linspace(0, float(inner[-1]) + 2 * b, 512)
    nodes = np.concatenate([near, np.linspace(near[-1], reach, 513)[1:]])
    tails = [_log_laplace(sign * inner - nodes[:, None], b) for sign in (-1, 1)]
    log_tail = np.logaddexp.reduce(np.concatenate(tails, axis=1), axis=1) - math.log(2048)
    return nodes, -ndtri_exp(np.minimum(log_tail, math.log(0.5)))


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
