"""Thumbnails in units of what a flow's own samples vary by, as small public readers see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentdp.synthesis.public import PublicModel

__all__ = ["ThumbnailUnits"]

Matrix = NDArray[np.float64]

FLOOR = 5.0  # grey levels added to what a pixel varies by: black borders never vary


@dataclass(frozen=True)
class ThumbnailUnits:
    """Takes grey levels to numbers whose vector has a length of about 1, and back.

    Attributes:
        centre: ``(s, s)`` grey levels.
        scale: ``(s, s)``, above 0.
    """

    centre: Matrix
    scale: Matrix

    @classmethod
    def of(cls, public: PublicModel) -> Self:
        """Follows the flow's own samples."""
        samples = public.samples.astype(np.float64)
        side = samples.shape[1]
        return cls(samples.mean(axis=0), side * (samples.std(axis=0) + FLOOR))

    def __call__(self, small: NDArray[np.uint8]) -> Matrix:
        """``(n, s * s + 1)``, the last 1."""
        scaled = ((small - self.centre) / self.scale).reshape(len(small), -1)
        return np.concatenate([scaled, np.ones((len(small), 1))], axis=1)

    def pulled_back(self, gradients: Matrix) -> Matrix:
        """Gradients by grey levels ``(n, s, s)`` of those by numbers ``(n, s * s + 1)``."""
        return gradients[:, :-1].reshape(-1, *self.scale.shape) / self.scale
