"""Directions as weights store them, rounded to 16 bits, and orthonormal again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import WeightsError

__all__ = ["orthonormal", "orthonormal_in_first"]


def orthonormal(stored: NDArray[Any] | None, d: int) -> NDArray[np.float64]:
    """Stored rows ``(k, d)``, which were rounded to 16 bits, orthonormal again to 64.

    Gram and Schmidt's order (a QR decomposition), so that the first k rows span what the first
    k stored rows span; with a positive diagonal, so that no row changes its sign.

    Args:
        stored: The rows; None for none.
        d: Number of latent dimensions.

    Raises:
        WeightsError: Another shape, or rows that are not nearly orthonormal.
    """
    if stored is None:
        return np.zeros((0, d))
    rows = np.asarray(stored, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != d or len(rows) > d:
        raise WeightsError(f"expected directions of shape (k, {d}), got shape {rows.shape}")
    if not np.abs(rows @ rows.T - np.eye(len(rows))).max(initial=0) < 0.01:  # true of a NaN too
        raise WeightsError("the directions of these weights are not orthonormal")
    q, r = np.linalg.qr(rows.T)
    exact: NDArray[np.float64] = np.ascontiguousarray((q * np.sign(np.diag(r))).T)
    exact.flags.writeable = False
    return exact


def orthonormal_in_first(stored: NDArray[Any] | None, d: int) -> NDArray[np.float64]:
    """Stored rows ``(m, l)`` of the first l dimensions as orthonormal rows ``(m, d)`` of all.

    Raises:
        WeightsError: They are not nearly orthonormal, or longer than d.
    """
    if stored is None:
        return np.zeros((0, d))
    if stored.ndim != 2 or stored.shape[1] > d:
        raise WeightsError(f"expected directions of up to {d} dimensions")
    rows = orthonormal(stored, stored.shape[1])
    return np.pad(rows, ((0, 0), (0, d - rows.shape[1])))
