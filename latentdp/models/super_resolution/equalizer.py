"""Gains by frequency: drawn detail gets the power that originals have at every coarseness.

What is drawn doubling by doubling, and averaged over grids, lacks contrast between one doubling
and the next. A fixed, linear filter gives it back: post-processing with public constants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.errors import WeightsError

__all__ = ["LOUDEST", "Equalizer"]

MOST, LOUDEST = 1024, 8.0


@dataclass(frozen=True)
class Equalizer:
    """A linear filter that treats all directions alike.

    Attributes:
        gains: Factors of the amplitude at frequencies that lie equally far apart, from 0 to half
            a cycle a pixel, the last of which holds beyond. At least 2, each above 0 and at most
            8.

    Raises:
        WeightsError: Gains that are out of range.

    Example:
        >>> import numpy as np
        >>> checks = np.indices((1, 8, 8)).sum(axis=0) % 2 / 2 + 0.25
        >>> bool(Equalizer((1.0, 0.5)).apply(checks.astype(np.float32)).std() < checks.std())
        True
    """

    gains: tuple[float, ...]

    def __post_init__(self) -> None:
        if not (
            2 <= len(self.gains) <= MOST
            and all(math.isfinite(gain) and 0 < gain <= LOUDEST for gain in self.gains)
        ):
            raise WeightsError(
                f"expected 2 to {MOST} gains of an equalizer, each above 0 and up to {LOUDEST:g}"
            )

    def apply(self, images: Images) -> Images:
        """Images ``(n, h, w)`` in [0, 1], each by itself, mirrored beyond its edges."""
        from scipy.fft import dctn, idctn  # slow to import

        gains = _gains(self.gains, *images.shape[1:])
        out = np.empty_like(images)
        for image, equalized in zip(images, out, strict=True):
            amplitudes = dctn(image, norm="ortho")
            amplitudes *= gains
            equalized[:] = idctn(amplitudes, norm="ortho", overwrite_x=True)
        return np.clip(out, 0, 1, out=out)


@lru_cache(maxsize=4)
def _gains(gains: tuple[float, ...], height: int, width: int) -> NDArray[np.float32]:
    """Factors ``(height, width)`` of the amplitudes of a cosine transform, the same each time."""
    down, across = np.arange(height) / height, np.arange(width) / width
    known = np.linspace(0, 1, len(gains))
    factors = np.interp(np.hypot(down[:, None], across), known, gains).astype(np.float32)
    factors.flags.writeable = False
    return factors
