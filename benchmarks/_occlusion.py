"""Where in an image a reader finds what it finds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images

__all__ = ["occlusion_maps"]

Maps = NDArray[np.float64]

WINDOWS = 7  # that cover an image across, each half of its neighbour


def occlusion_maps(score: Callable[[Images], NDArray[np.float64]], images: Images) -> Maps:
    """How much a score falls where a window is covered (Zeiler and Fergus 2014, section 4.2).

    A window is a quarter of the image on a side, and takes on the mean grey level of the image.

    Args:
        score: ``(n,)`` of images.
        images: ``(n, h, w)``.

    Returns:
        ``(n, WINDOWS, WINDOWS)``, larger where more of the score comes from.
    """
    whole = score(images)
    height, width = (2 * side // (WINDOWS + 1) for side in images.shape[1:])
    falls = np.empty((len(images), WINDOWS, WINDOWS))
    for row, column in np.ndindex(WINDOWS, WINDOWS):
        covered = images.copy()
        top, left = row * height // 2, column * width // 2
        covered[:, top : top + height, left : left + width] = images.mean(
            axis=(1, 2), keepdims=True
        )
        falls[:, row, column] = whole - score(covered)
    return falls
