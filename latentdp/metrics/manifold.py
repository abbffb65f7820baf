"""Does one cloud lie within another? Precision and recall by nearest neighbours.

A point lies among others if it is no farther from one of them than that one's k-th nearest
neighbour is (Kynkaanniemi et al. 2019, arXiv 1904.06991, equation 1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

__all__ = ["NEIGHBOURS", "within"]

NEIGHBOURS = 5


def within(points: NDArray[np.float64], cloud: NDArray[np.float64]) -> NDArray[np.bool_]:
    """``(n,)`` which points lie among those of a cloud.

        >>> import numpy as np
        >>> cloud = np.arange(10.0)[:, None]
        >>> within(np.array([[4.5], [30.0]]), cloud).tolist()
        [True, False]

    Args:
        points: ``(n, d)``.
        cloud: ``(m, d)`` with more than `NEIGHBOURS` points.
    """
    own = np.sort(cdist(cloud, cloud), axis=1)
    reach = own[:, min(NEIGHBOURS, len(cloud) - 1)]  # the first is the point itself
    return np.asarray((cdist(points, cloud) <= reach).any(axis=1))
