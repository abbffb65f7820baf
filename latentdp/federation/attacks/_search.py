"""The searches of inversions: steps down a cost, each image by itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images

__all__ = ["descend", "total_variation"]

Matrix = NDArray[np.float64]
Cost = Callable[[Matrix], tuple[Matrix, Matrix]]

FIRST, SECOND, TINY = 0.9, 0.999, 1e-12  # of Adam (Kingma and Ba 2015, algorithm 1)
SMOOTH = 1e-3  # grey levels, of [0, 1], below which an edge counts by its square


def descend(start: Matrix, cost: Cost, *, steps: int, rate: float) -> Matrix:
    """The best point ``(t, ...)`` of each row that Adam passes.

    Args:
        start: ``(t, ...)``.
        cost: Costs ``(t,)`` and gradients of the same shape as the start.
        steps: At least 1.
        rate: Length of a step of each entry, which falls to nothing.
    """
    at, best = start.astype(np.float64), start.astype(np.float64)
    lowest = np.full(len(at), np.inf)
    mean, square = np.zeros_like(at), np.zeros_like(at)
    for step in range(steps):
        costs, gradient = cost(at)
        better = costs < lowest
        lowest[better], best[better] = costs[better], at[better]
        mean = FIRST * mean + (1 - FIRST) * gradient
        square = SECOND * square + (1 - SECOND) * gradient**2
        moved = mean / (1 - FIRST ** (step + 1))
        moved /= np.sqrt(square / (1 - SECOND ** (step + 1))) + TINY
        at = at - rate * (1 - step / steps) * moved
    return best


def total_variation(images: Images | Matrix) -> tuple[Matrix, Matrix]:
    """Mean step between neighbouring pixels ``(t,)`` of images ``(t, h, w)``, and gradients."""
    costs = np.zeros(len(images))
    gradients = np.zeros(images.shape, dtype=np.float64)
    for axis in (1, 2):
        steps = np.diff(np.asarray(images, dtype=np.float64), axis=axis)
        size = np.sqrt(steps**2 + SMOOTH**2)
        costs += size.mean(axis=(1, 2))
        slope = steps / size / steps[0].size
        pad = [(0, 0)] * 3
        pad[axis] = (1, 1)
        gradients -= np.diff(np.pad(slope, pad), axis=axis)
    return costs, gradients
