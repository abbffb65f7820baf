"""How sharp are the edges of a picture?

An edge of one pixel's width is as steep between neighbours as between pixels that lie further
apart; a blurred one rises on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import laplace

__all__ = ["sharpness"]

STEPS = (1, 2, 4)  # pixels between which differences are taken
SHARES = (0.5, 0.9, 0.99, 0.999)  # of pixels that are less steep
_DARK = 1e-6  # a difference in grey levels from 0 to 1 that is none


def sharpness(image: NDArray[np.floating]) -> NDArray[np.float64]:
    """Steepness of usual and of the steepest places, near and further apart.

    Args:
        image: ``(h, w)`` in [0, 1], more than 4 pixels a side.

    Returns:
        ``(13,)``: logarithms of the quantiles `SHARES` of the gradient's length over each of
        `STEPS`, and of the standard deviation of the Laplacian (Pech-Pacheco et al. 2000).

    Example:
        >>> edge = np.repeat([[0.0, 1.0]], 16, axis=0).repeat(8, axis=1)
        >>> soft = np.tile(np.linspace(0, 1, 16), (16, 1))
        >>> bool(sharpness(edge)[-1] > sharpness(soft)[-1])
        True
    """
    x = np.asarray(image, dtype=np.float64)
    steep = []
    for step in STEPS:
        across = x[step:, step:] - x[step:, :-step]
        down = x[step:, step:] - x[:-step, step:]
        steep.append(np.quantile(np.hypot(across, down), SHARES))
    return np.log(np.concatenate([*steep, [laplace(x).std()]]) + _DARK)
