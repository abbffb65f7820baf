"""Further private copies of the same images: what an attacker sees where a release is repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images, Labels
from latentdp.core.progress import ProgressCallback, silent
from latentdp.data.cohort import Cohort
from latentdp.evaluation.methods.base import Method
from latentdp.privacy.noise import SeededNoise

__all__ = ["as_used", "copies", "repeats"]


AT_ONCE = 512  # images between two words on progress
KEPT = 500  # images of which copies are kept in memory


def copies(
    method: Method, cohort: Cohort, count: int, first: int, tell: ProgressCallback = silent
) -> tuple[Images, Labels]:
    """Independent private copies ``(count, n, h, w)``, and labels ``(count, n)``.

    Args:
        method: What makes them.
        cohort: Of whom.
        count: How many of each image.
        first: Seed of the first; the others follow. They are no release.
        tell: Progress.
    """
    private = np.empty((count, *cohort.images.shape), dtype=np.float32)
    labels = np.empty((count, len(cohort)), dtype=np.int64)
    noises = [SeededNoise(first + i) for i in range(count)]
    for start in range(0, len(cohort), AT_ONCE):
        tell(start / len(cohort), "privatizing")
        rows = slice(start, start + AT_ONCE)
        private[:, rows], labels[:, rows] = method.privatize_many(
            cohort.images[rows], cohort.labels[rows], noises
        )
    return private, labels


def as_used(method: Method, cohort: Cohort) -> Cohort:
    """The cohort with what the method takes of its labels: they go with released ones."""
    maker = method.privatizer
    return cohort if maker is None else replace(cohort, labels=maker.used(cohort.labels))


def repeats(
    method: Method, cohort: Cohort, seed: int
) -> Callable[[int, NDArray[np.int64]], tuple[Images, Labels]]:
    """`ThreatModel.more` for a method that can be repeated.

    Copies of all images are made once, and the first k are served to whoever asks for them: of a
    small release several attacks do, and making copies takes most of their time.
    """
    first, everyone = 10_000 + 100 * seed, np.arange(len(cohort))
    made: list[tuple[Images, Labels]] = []

    def more(k: int, rows: NDArray[np.int64]) -> tuple[Images, Labels]:
        if len(cohort) > KEPT or not np.array_equal(rows, everyone):
            return copies(method, cohort.take(rows), k, first)
        if len(made) < k:
            images, labels = copies(method, cohort, k - len(made), first + len(made))
            made.extend(zip(images, labels, strict=True))
        images_of_all, labels_of_all = zip(*made[:k], strict=True)
        return np.stack(images_of_all), np.stack(labels_of_all)

    return more
