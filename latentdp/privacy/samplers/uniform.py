"""What is drawn from uniform bits alone: integers, orders, and normals for public use."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from latentdp.errors import InputError
from latentdp.privacy.noise import WORD, Noise

__all__ = [
    "below",
    "gumbel",
    "normal",
    "orders",
    "permutation",
]


def below(noise: Noise, bound: int, n: int) -> NDArray[np.int64]:
    """``n`` exactly uniform integers in [0, bound), by rejection."""
    if not 1 <= bound <= 2**31:
        raise InputError(f"expected a bound in 1..2**31, got {bound}")
    limit = 2**WORD // bound * bound - 1
    out = np.empty(n, dtype=np.int64)
    filled = 0
    while filled < n:
        words = noise.words(n - filled)
        accepted = words[words <= np.uint64(limit)]
        out[filled : filled + accepted.size] = (accepted % np.uint64(bound)).astype(np.int64)
        filled += accepted.size
    return out


def normal(noise: Noise, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Standard normal draws by the inverse distribution function of 53-bit uniforms.

    In floating point and therefore never added to anything private: it only replaces values,
    or is mixed in after a mechanism.
    """
    words = noise.words(math.prod(shape))
    uniform = (words >> np.uint64(11)).astype(np.float64)
    uniform += 0.5
    uniform *= 2.0**-53
    return np.asarray(ndtri(uniform, out=uniform)).reshape(shape)


def gumbel(noise: Noise, n: int) -> NDArray[np.float64]:
    """Standard Gumbel ``(n,)``: added to log weights, the largest is a draw in proportion to them.

    From the middle of one of 2 ** 52 equal intervals (Gumbel 1954, "Statistical theory of extreme
    values", lecture 2). Not for a guarantee: its steps are coarse at the upper end.
    """
    u = ((noise.words(n) >> np.uint64(12)).astype(np.float64) + 0.5) / 2.0**52
    return np.asarray(-np.log(-np.log(u)))


def orders(noise: Noise, n: int, size: int) -> NDArray[np.int64]:
    """``n`` exactly uniform orders of ``range(size)``, ``(n, size)``.

    By sorting words. A row with two equal words has no fair order and is drawn again, which does
    not depend on anything but those words.
    """
    out = np.empty((n, size), dtype=np.int64)
    open_ = np.arange(n)
    while open_.size:
        words = noise.words(open_.size * size).reshape(open_.size, size)
        out[open_] = np.argsort(words, axis=1)
        ranked = np.take_along_axis(words, out[open_], axis=1)
        open_ = open_[(ranked[:, 1:] == ranked[:, :-1]).any(axis=1)]
    return out


def permutation(noise: Noise, n: int) -> NDArray[np.int64]:
    """One exactly uniform order of ``range(n)``."""
    return np.asarray(orders(noise, 1, n)[0])
