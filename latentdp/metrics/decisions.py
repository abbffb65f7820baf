"""How good decisions are that say yes or no of each image: accuracy, and Matthews' correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["accuracy", "matthews"]

Matrix = NDArray[np.float64]
Decisions = NDArray[np.bool_]


def accuracy(decided: Decisions, truth: Decisions, weights: Matrix) -> Matrix:
    """Weighted share of right decisions.

    Args:
        decided: ``(n,)``.
        truth: ``(n,)``.
        weights: ``(r, n)``, one row per resample.

    Returns:
        ``(r,)`` in [0, 1].
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(weights @ (decided == truth) / weights.sum(axis=1))


def matthews(decided: Decisions, truth: Decisions, weights: Matrix) -> Matrix:
    """Weighted correlation of decisions and truth (Matthews 1975), in [-1, 1].

    0 where all decisions are one, which says nothing; NaN where a resample shows one truth alone.

    Args:
        decided: ``(n,)``.
        truth: ``(n,)``.
        weights: ``(r, n)``, one row per resample.

    Returns:
        ``(r,)``.
    """
    total = weights.sum(axis=1)
    said, true = weights @ decided / total, weights @ truth / total
    both = weights @ (decided & truth) / total
    width = np.sqrt(np.maximum(said * (1 - said) * true * (1 - true), 0.0))
    found = np.divide(both - said * true, width, out=np.zeros_like(width), where=width > 0)
    return np.where((true > 0) & (true < 1), found, np.nan)
