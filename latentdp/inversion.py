"""Exact sampling by inversion: one uniform word decides, and more bits where it does not.

A uniform number U in [0, 1) is known by its first bits only. Almost always these tell between
which two values of a distribution function U lies. Where they do not, because a value of the
distribution function lies inside the interval that they leave open, more random bits and more
digits are taken. The result has the distribution exactly, whatever its tails: there is no table
whose rounded last entry would ruin a bound on a ratio of probabilities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate

import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, log_ndtr

from latentdp.errors import InputError
from latentdp.noise import Noise

__all__ = ["Choice", "RoundedNormal", "bernoulli", "choice", "rounded_normal"]

_BITS = 63  # of the uniform word; the 64th is a sign
_MORE = 3  # words that are taken where 63 bits do not decide
_MARGIN = 2**14  # in 2^-63: far above the error of scipy's erf, which is a few 2^-53


@dataclass(frozen=True)
class Choice:
    """An index drawn with probability ``weights[i] / sum(weights)``, exactly.

    Attributes:
        weights: Non-negative integers of any size; not all zero.
    """

    weights: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.weights or min(self.weights) < 0 or sum(self.weights) == 0:
            raise InputError("expected weights of at least 0 and not all of them 0")

    @cached_property
    def _cumulative(self) -> tuple[int, ...]:
        return tuple(accumulate(self.weights))

    @cached_property
    def _thresholds(self) -> NDArray[np.uint64]:
        total = self._cumulative[-1]
        return np.array([(c << _BITS) // total for c in self._cumulative[:-1]], dtype=np.uint64)

    def draw(self, noise: Noise, n: int) -> NDArray[np.int64]:
        """``n`` independent indices."""
        uniform = noise.words(n) >> np.uint64(1)
        index, open_ = _place(self._thresholds, uniform, 0)
        total = self._cumulative[-1]
        for i in np.flatnonzero(open_):
            low, bits = int(uniform[i]), _BITS
            while True:  # U is in [low, low + 1) / 2^bits
                low, bits = _extend(low, noise), bits + 64
                first = sum((c << bits) // total <= low for c in self._cumulative[:-1])
                last = sum(c << bits < (low + 1) * total for c in self._cumulative[:-1])
                if first == last:
                    index[i] = first
                    break
        return index


@lru_cache(maxsize=64)
def choice(weights: tuple[int, ...]) -> Choice:
    """The sampler of these weights, with its tables kept."""
    return Choice(weights)


def bernoulli(noise: Noise, numerator: int, denominator: int, n: int) -> NDArray[np.bool_]:
    """``n`` events of probability ``numerator / denominator`` exactly."""
    index = choice((denominator - numerator, numerator)).draw(noise, n)
    return np.asarray(index == 1)


@dataclass(frozen=True)
class RoundedNormal:
    """A normal variable of mean 0, rounded to the nearest integer.

    Adding it to an integer is the same as adding the real normal variable and rounding the sum,
    so whatever holds for the continuous Gaussian mechanism holds here by post-processing, in any
    number of dimensions. (The discrete Gaussian of Canonne, Kamath and Steinke 2020, with masses
    proportional to exp(-n^2 / 2 scale^2), would need a proof of its own.)

    Attributes:
        scale: Standard deviation before rounding, in integer steps; 0.5 to 2 ** 18.
    """

    scale: float

    def __post_init__(self) -> None:
        if not 0.5 <= self.scale <= 2**18:
            raise InputError(f"expected a scale in 0.5..2**18 steps, got {self.scale}")

    @cached_property
    def _thresholds(self) -> NDArray[np.uint64]:
        """P(|N| <= m) in 2^-63, within the margin, as far as the margin can tell."""
        m = np.arange(math.ceil(8.3 * self.scale) + 1)
        values = erf((m + 0.5) / (self.scale * math.sqrt(2)))
        return np.asarray(np.floor(values * 2.0**_BITS).astype(np.uint64))

    def draw(self, noise: Noise, n: int) -> NDArray[np.int64]:
        """``n`` independent integers."""
        words = noise.words(n)
        uniform = words >> np.uint64(1)
        index, open_ = _place(self._thresholds, uniform, _MARGIN)
        for i in np.flatnonzero(open_ | (index == len(self._thresholds))):
            index[i] = self._resolve(int(uniform[i]), noise)
        return np.where(words & np.uint64(1), -index, index)

    def log_probability(self, n: NDArray[np.int64]) -> NDArray[np.float64]:
        """Log of P(N = n), accurate in the far tails too."""
        side = -np.abs(n).astype(np.float64)
        high, low = log_ndtr((side + 0.5) / self.scale), log_ndtr((side - 0.5) / self.scale)
        return np.asarray(high + np.log(-np.expm1(low - high)))

    def _resolve(self, uniform: int, noise: Noise) -> int:
        """The smallest m with U < P(|N| <= m), with as many bits as it takes."""
        bits = _BITS
        while True:
            for _ in range(_MORE):
                uniform, bits = _extend(uniform, noise), bits + 64
            with mpmath.workprec(bits + 64):
                # Tails are counted from 1, and compared where they are far from rounding.
                tail = 1 - mpmath.mpf(uniform) / 2**bits
                slack = mpmath.mpf(2) ** (8 - bits)
                lowest = self._first(tail + slack)
                if lowest == self._first(tail - slack):
                    return lowest

    def _first(self, tail: mpmath.mpf) -> int:
        """The smallest m with P(|N| > m) < tail."""
        root = self.scale * mpmath.sqrt(2)
        low, high = -1, 1
        while mpmath.erfc((high + mpmath.mpf(0.5)) / root) >= tail:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            if mpmath.erfc((middle + mpmath.mpf(0.5)) / root) < tail:
                high = middle
            else:
                low = middle
        return high


@lru_cache(maxsize=32)
def rounded_normal(scale: float) -> RoundedNormal:
    """The sampler of this scale, with its tables kept."""
    return RoundedNormal(scale)


def _place(
    thresholds: NDArray[np.uint64], uniform: NDArray[np.uint64], margin: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """How many thresholds U has reached, and where that is not decided yet.

    A threshold is known within ``margin``, and U within 1, both in 2^-63.
    """
    index = np.searchsorted(thresholds, uniform, side="right").astype(np.int64)
    largest = np.uint64(2**_BITS - 1)  # 2^63, where the tail is lost, does not fit
    padded = np.concatenate([[0], np.minimum(thresholds, largest).astype(np.int64), [largest]])
    u = uniform.astype(np.int64)
    below, above = padded[index], padded[index + 1]
    near_below = (index > 0) & (u - below <= margin)
    near_above = (index < len(thresholds)) & (above - u <= margin)
    return index, near_below | near_above


def _extend(uniform: int, noise: Noise) -> int:
    return (uniform << 64) | int(noise.words(1)[0])
