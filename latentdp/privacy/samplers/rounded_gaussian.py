"""A normal variable rounded to an integer, drawn exactly, by inversion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, log_ndtr

from latentdp.errors import InputError
from latentdp.privacy.noise import WORD, Noise
from latentdp.privacy.samplers._inversion import BITS, extend, place

__all__ = ["RoundedNormal", "rounded_normal"]

_MORE = 3  # words that are taken where 63 bits do not decide
_MARGIN = 2**14  # in 2^-63: far above the error of scipy's erf, which is a few 2^-53


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
        return np.asarray(np.floor(values * 2.0**BITS).astype(np.uint64))

    def draw(self, noise: Noise, n: int) -> NDArray[np.int64]:
        """``n`` independent integers."""
        words = noise.words(n)
        uniform = words >> np.uint64(1)
        index, open_ = place(self._thresholds, uniform, _MARGIN)
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
        bits = BITS
        while True:
            for _ in range(_MORE):
                uniform, bits = extend(uniform, noise), bits + WORD
            with mpmath.workprec(bits + 64):
                # Tails are counted from 1, and compared where they are far from rounding.
                tail = 1 - mpmath.mpf(uniform) / 2**bits
                slack = mpmath.mpf(2) ** (1 - bits)
                if tail <= slack:  # U may be 1 by these bits, where there is no tail
                    continue
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
