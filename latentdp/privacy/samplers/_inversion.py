"""Exact sampling by inversion: one uniform word decides, and more bits where it does not.

A uniform number U in [0, 1) is known by its first bits only. Almost always these tell between
which two values of a distribution function U lies. Where they do not, because a value of the
distribution function lies inside the interval that they leave open, more random bits and more
digits are taken. The result has the distribution exactly, whatever its tails: there is no table
whose rounded last entry would ruin a bound on a ratio of probabilities.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.privacy.noise import WORD, Noise

__all__ = ["BITS", "extend", "place"]

BITS = WORD - 1  # of the uniform word; the last is a sign


def place(
    thresholds: NDArray[np.uint64], uniform: NDArray[np.uint64], margin: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """How many thresholds U has reached, and where that is not decided yet.

    A threshold is known within ``margin``, and U within 1, both in 2^-63.
    """
    index = np.searchsorted(thresholds, uniform, side="right").astype(np.int64)
    largest = np.uint64(2**BITS - 1)  # 2^63, where the tail is lost, does not fit
    padded = np.concatenate([[0], np.minimum(thresholds, largest).astype(np.int64), [largest]])
    u = uniform.astype(np.int64)
    below, above = padded[index], padded[index + 1]
    near_below = (index > 0) & (u - below <= margin)
    near_above = (index < len(thresholds)) & (above - u <= margin)
    return index, near_below | near_above


def extend(uniform: int, noise: Noise) -> int:
    """``uniform`` known by one more word."""
    return (uniform << WORD) | int(noise.words(1)[0])
