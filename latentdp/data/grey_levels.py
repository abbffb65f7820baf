"""What makes grey levels a picture: more than black and white, and not nearly one shade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["is_grey", "percentiles"]

_Values: TypeAlias = NDArray[np.float64]

# Of a picture that can be told from one of two shades: so many of its pixels lie between black
# and white, and so far apart are its darker and lighter ones.
_BETWEEN = (0.02, 0.98)
_SHARE = 0.05
_SPREAD = 0.1


def is_grey(shades: _Values, counts: NDArray[np.intp]) -> bool:
    """Whether shades in [0, 1] that occur so many times each are more than black and white."""
    low, high = _BETWEEN
    between = counts[(shades > low) & (shades < high)].sum()
    darker, lighter = percentiles(shades, counts, (0.05, 0.95))
    return bool(between >= _SHARE * counts.sum() and lighter - darker >= _SPREAD)


def percentiles(
    shown: _Values, counts: NDArray[np.intp], shares: Sequence[float]
) -> tuple[float, float]:
    """Two quantiles, interpolated linearly, of values that occur so many times each."""
    order = np.argsort(shown)
    below = np.cumsum(counts[order])
    place = np.array(shares) * (below[-1] - 1)
    left = shown[order[np.searchsorted(below, np.floor(place), side="right")]]
    right = shown[order[np.searchsorted(below, np.ceil(place), side="right")]]
    low, high = left + (right - left) * (place - np.floor(place))
    return float(low), float(high)
