"""Further private copies of the same images: what an attacker sees where a release is repeated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from latentdp.arrays import Images, Labels
from latentdp.cohort import Cohort
from latentdp.methods import Method
from latentdp.noise import SeededNoise

__all__ = ["copies", "repeats"]


def copies(method: Method, cohort: Cohort, count: int, first: int) -> tuple[Images, Labels]:
    """Independent private copies ``(count, n, h, w)``, and labels ``(count, n)``.

    Args:
        method: What makes them.
        cohort: Of whom.
        count: How many of each image.
        first: Seed of the first; the others follow. They are no release.
    """
    made = [
        method.privatize(cohort.images, cohort.labels, SeededNoise(first + i))
        for i in range(count)
    ]
    return np.stack([images for images, _ in made]), np.stack([labels for _, labels in made])


def repeats(
    method: Method, cohort: Cohort, seed: int
) -> Callable[[int, NDArray[np.int64]], tuple[Images, Labels]]:
    """`Scene.more` for a method that can be repeated."""

    def more(k: int, rows: NDArray[np.int64]) -> tuple[Images, Labels]:
        return copies(method, cohort.take(rows), k, 10_000 + 100 * seed)

    return more
