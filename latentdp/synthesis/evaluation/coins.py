"""Who is in a sum? Whoever knows each patient's record solves for the coins that chose them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

__all__ = ["CoinReader"]

Matrix = NDArray[np.float64]

SMALLEST = 1e-6  # deviation that is assumed where there is no noise, of a record's length


class CoinReader:
    """Least squares of fair coins from a noisy sum of the records that they chose.

    Args:
        records: ``(p, k)`` of all who may be in it.
        deviation: Of the noise on each entry; 0 for none.
    """

    def __init__(self, records: Matrix, deviation: float) -> None:
        self._records, self._centre = records, records.sum(axis=0) / 2
        gram = records @ records.T / 4
        length = np.sqrt(max(float(np.trace(gram)) / max(1, len(gram)), np.finfo(float).tiny))
        noise = max(deviation, SMALLEST * length) ** 2
        self._solve = cho_factor(gram + noise * np.eye(len(gram)))

    def __call__(self, noisy: Matrix) -> Matrix:
        """Scores ``(p,)`` of being a member of a sum ``(k,)``; larger for one who is in it."""
        return np.asarray(cho_solve(self._solve, self._records @ (noisy - self._centre)))
