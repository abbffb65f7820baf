"""An index with exact rational probabilities, by inversion."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.privacy.noise import WORD, Noise
from latentdp.privacy.samplers._inversion import BITS, extend, place

__all__ = ["Choice", "bernoulli"]


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
        return np.array([(c << BITS) // total for c in self._cumulative[:-1]], dtype=np.uint64)

    def draw(self, noise: Noise, n: int) -> NDArray[np.int64]:
        """``n`` independent indices."""
        uniform = noise.words(n) >> np.uint64(1)
        index, open_ = place(self._thresholds, uniform, 0)
        for i in np.flatnonzero(open_):
            index[i] = self._resolve(int(uniform[i]), noise)
        return index

    def _resolve(self, low: int, noise: Noise) -> int:
        """The index of U, by as many bits as it takes until one alone is possible."""
        total, last, bits = self._cumulative[-1], len(self.weights) - 1, BITS
        while True:
            low, bits = extend(low, noise), bits + WORD
            # U is in [low, low + 1) / 2^bits; it has reached c / total where that is at most U.
            least = bisect_right(self._cumulative, low * total >> bits, hi=last)
            most = bisect_left(self._cumulative, -(-(low + 1) * total >> bits), hi=last)
            if least == most:
                return least


@lru_cache(maxsize=64)
def choice(weights: tuple[int, ...]) -> Choice:
    """The sampler of these weights, with its tables kept."""
    return Choice(weights)


def bernoulli(noise: Noise, numerator: int, denominator: int, n: int) -> NDArray[np.bool_]:
    """``n`` events of probability ``numerator / denominator`` exactly."""
    index = choice((denominator - numerator, numerator)).draw(noise, n)
    return np.asarray(index == 1)
