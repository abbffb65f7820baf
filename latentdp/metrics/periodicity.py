"""Does a picture change more at every k-th column or row than between them?

What draws an image block by block, or octave by octave, may leave a grid that the eye does not
see and a program does at once. Radiographs have none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["PERIODS", "periodicity", "unevenness"]

Vector = NDArray[np.float64]

PERIODS = tuple(range(2, 17))  # pixels
_DARK = 1e-6  # a step in grey levels from 0 to 1 that is none; flat borders have no logarithm


def periodicity(image: NDArray[np.floating]) -> Vector:
    """Steps between neighbours by their position modulo each period, across and down.

    Args:
        image: ``(h, w)`` in [0, 1], at least 17 pixels a side.

    Returns:
        ``(300,)``: across, then down, for each of `PERIODS` the logarithm of the mean step at each
        position over that of all, and the spread of these, which tells a grid wherever it begins.

    Example:
        >>> flat = np.random.default_rng(0).random((64, 64))
        >>> tiled = flat.copy()
        >>> tiled[:, 8::8] = tiled[:, 7:-1:8]  # every eighth column repeats the one before it
        >>> bool(periodicity(tiled).min() < -5 < periodicity(flat).min())
        True
    """
    x = np.asarray(image, dtype=np.float64)
    return np.concatenate(
        [_along(np.abs(np.diff(side, axis=1)).mean(axis=0)) for side in (x, x.T)]
    )


def unevenness(steps: Vector, period: int) -> Vector:
    """By how much steps at each position modulo a period are larger than usual.

    Args:
        steps: ``(n,)`` mean lengths of steps in one direction, at least 0, n at least ``period``.
        period: In pixels.

    Returns:
        ``(period,)`` logarithms of the mean at each position over that of all.

    Example:
        >>> bool(np.isclose(unevenness(np.array([1.0, 3.0] * 4), 2), np.log([0.5, 1.5])).all())
        True
    """
    means = np.array([steps[k::period].mean() for k in range(period)])
    return np.asarray(np.log(means + _DARK) - np.log(steps.mean() + _DARK))


def _along(steps: Vector) -> Vector:
    """Of the mean steps ``(n,)`` at each position of one direction."""
    parts: list[Vector] = []
    for period in PERIODS:
        uneven = unevenness(steps, period)
        parts += [uneven, uneven.std(keepdims=True)]
    return np.concatenate(parts)
