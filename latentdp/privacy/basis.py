"""A public orthonormal change of basis of the latent.

Its first coordinates are the inner products with given directions, and the others those with
some completion of them. It is the block reflection

    Q = I - W M W',  W = A + E,  M = (I + A1')^-1,

where A ``(d, k)`` holds the directions as columns, E the first k unit vectors and A1 the first k
rows of A: then Q is orthogonal and maps E to -A. It costs 4 d k operations a latent, and never
forms a d x d matrix.

A guarantee does not depend on it: a mechanism bounds whatever coordinates it is given, and what is
done with them afterwards is post-processing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Latents
from latentdp.errors import WeightsError

__all__ = ["Basis"]


class Basis:
    """An orthonormal basis of ``d`` dimensions that begins with given directions.

    Args:
        directions: ``(k, d)``, orthonormal rows; k = 0 is the basis of the latent itself.

    Raises:
        WeightsError: The rows are not orthonormal.
    """

    def __init__(self, directions: NDArray[np.float64]) -> None:
        rows = np.asarray(directions, dtype=np.float64)
        k = len(rows)
        if not np.allclose(rows @ rows.T, np.eye(k), rtol=0, atol=1e-8):
            raise WeightsError("expected the public directions to be orthonormal")
        self.k = k
        # A rotation among the directions makes A1 symmetric and at least 0 (its polar
        # decomposition), so that I + A1 is never near singular; it is undone at the end.
        left, _, right = np.linalg.svd(rows[:, :k])
        self._turn = left @ right
        self._w = self._turn.T @ rows
        self._m = np.linalg.inv(np.eye(k) + self._w[:, :k])
        self._w[:, :k] += np.eye(k)

    def forward(self, latents: Latents) -> Latents:
        """Latents ``(n, d)`` to coordinates ``(n, d)``, the directions' first."""
        out = latents - latents @ self._w.T @ self._m @ self._w
        out[:, : self.k] = -out[:, : self.k] @ self._turn.T
        return np.asarray(out)

    def inverse(self, coordinates: Latents) -> Latents:
        """The inverse of `forward`."""
        turned = coordinates.copy()
        turned[:, : self.k] = -turned[:, : self.k] @ self._turn
        return np.asarray(turned - turned @ self._w.T @ self._m.T @ self._w)
