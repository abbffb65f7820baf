"""Noise of given words, and every word there is: samplers of small words, enumerated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest

from latentdp.privacy import noise, randomized_response
from latentdp.privacy.mechanisms import codebook, hypercube
from latentdp.privacy.samplers import (
    _inversion,
    categorical,
    discrete_laplace,
    rounded_gaussian,
    uniform,
)

USERS = (
    noise, randomized_response, codebook, hypercube, _inversion, categorical, discrete_laplace,
    rounded_gaussian, uniform,
)  # fmt: skip


class MoreWords(Exception):
    """The given words do not decide."""


class Given:
    """These words and no more."""

    secure = False

    def __init__(self, words: tuple[int, ...]) -> None:
        self.left = list(words)

    def words(self, n: int) -> np.ndarray:
        if n > len(self.left):
            raise MoreWords
        taken, self.left = self.left[:n], self.left[n:]
        return np.array(taken, dtype=np.uint64)


@contextmanager
def words_of(bits: int, high: int = 1):
    """Samplers whose words have so few bits, ``high`` of them for the high part of a Laplace."""
    categorical.choice.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        for module in USERS:
            patch.setattr(module, "WORD", bits)
        for module in (_inversion, categorical, rounded_gaussian):
            patch.setattr(module, "BITS", bits - 1)
        patch.setattr(discrete_laplace, "_HIGH_BITS", high)
        patch.setattr(discrete_laplace, "_MASS_BITS", bits - 1 - high)
        patch.setattr(rounded_gaussian, "_MARGIN", 1)
        patch.setattr(rounded_gaussian, "_MORE", 1)
        yield
    categorical.choice.cache_clear()


def enumerate_words(
    draw: Callable[[Given], Hashable], bits: int, *, depth: int
) -> tuple[dict[Hashable, Fraction], Fraction]:
    """What a sampler does with every string of up to ``depth`` words of so many bits.

    Returns:
        The probability of each outcome among the strings that decide, and that of all others.
    """
    decided: Counter[Hashable] = Counter()
    open_ = [()]
    for length in range(depth + 1):
        undecided = []
        for words in open_:
            given = Given(words)
            try:
                outcome = draw(given)
            except MoreWords:
                undecided.append(words)
                continue
            assert not given.left, "words were given that nobody asked for"
            decided[outcome] += Fraction(1, 2 ** (bits * length))
        if length < depth:
            open_ = [(*words, word) for words in undecided for word in range(2**bits)]
    return dict(decided), 1 - sum(decided.values())
