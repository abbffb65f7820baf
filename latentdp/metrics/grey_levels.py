"""How often each grey level occurs in a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEVELS", "grey_levels"]

LEVELS = 64  # of equal width


def grey_levels(image: NDArray[np.floating]) -> NDArray[np.float64]:
    """Square roots ``(64,)`` of the shares of pixels in each of `LEVELS` equal parts of [0, 1].

    Differences of square roots are those of the Hellinger distance: rare levels count too.

    Args:
        image: ``(h, w)`` in [0, 1].

    Example:
        >>> grey_levels(np.array([[0.0, 1.0]]))[[0, -1]].round(3).tolist()
        [0.707, 0.707]
    """
    counts = np.histogram(image, bins=LEVELS, range=(0, 1))[0]
    return np.asarray(np.sqrt(counts / max(1, counts.sum())))
