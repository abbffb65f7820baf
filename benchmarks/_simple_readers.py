"""Readers of a few numbers of each image at full size: do they tell made images from originals?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from _results import Interval
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.evaluation.utility import (
    edge_sharpness,
    grey_level_histogram,
    periodicity,
    power_spectrum,
)
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.linkage import widened
from latentdp.metrics.periodicity import unevenness
from latentdp.metrics.told_apart import told_apart

__all__ = ["RESAMPLES", "STATISTICS", "area", "interval", "rounded"]

NumbersOf = Callable[[NDArray[np.float32]], NDArray[np.float64]]  # of an image (h, w) in [0, 1]

RESAMPLES = 500


def steps_modulo_8(image: NDArray[np.float32]) -> NDArray[np.float64]:
    """By how much steps at each position are larger than usual ``(16,)``, columns, then rows."""
    sides = (image.astype(np.float64), image.T.astype(np.float64))
    steps = [np.abs(np.diff(side, axis=1)).mean(axis=0) for side in sides]
    return np.concatenate([unevenness(along, 8) for along in steps])


def steps_inside(image: NDArray[np.float32]) -> NDArray[np.float64]:
    """The same without a sixteenth of the picture at each edge, where frames and letters lie."""
    top, left = (side // 16 // 8 * 8 for side in image.shape)
    return steps_modulo_8(image[top : len(image) - top + 1, left : image.shape[1] - left + 1])


STATISTICS: dict[str, NumbersOf] = {
    "grid": steps_modulo_8,
    "grid_inside": steps_inside,
    "periodicity": periodicity.utility.statistics,
    "spectrum": power_spectrum.utility.statistics,
    "sharpness": edge_sharpness.utility.statistics,
    "histogram": grey_level_histogram.utility.statistics,
}


def area(
    numbers_of: NumbersOf, originals: Images, made: Images, patients: Sequence[object], seed: int
) -> Interval | None:
    """AUC of a logistic reader, on patients that it has not seen, with its interval over patients.

    Args:
        numbers_of: What it reads of an image.
        originals: ``(n, h, w)`` in [0, 1].
        made: As many, of the same patients in the same order.
        patients: ``(n,)`` whose they are.
        seed: Of folds and resamples.
    """
    n, whose = len(originals), np.unique(np.asarray(patients), return_inverse=True)[1]
    numbers = np.stack([numbers_of(x) for x in (*originals, *made)])
    told = told_apart(numbers, np.arange(2 * n) >= n, np.tile(whose, 2), seed)
    return interval(told.scores, whose, Resamples(whose, RESAMPLES, seed), told.folds)


def interval(
    scores: NDArray[np.float64],
    whose: NDArray[np.int64],
    resamples: Resamples,
    folds: NDArray[np.int64] | None = None,
) -> Interval | None:
    """AUC of scores ``(2 n,)`` of originals, then of made images, each of patients ``(n,)``."""
    n = len(whose)
    weights = np.tile(resamples.of(np.arange(n)), 2)
    found = estimate(auc(scores, np.arange(2 * n) >= n, weights, folds))
    return None if found is None else Interval.of(widened(found, len(np.unique(whose))))


def rounded(images: Images) -> Images:
    """As they come out: with 8 bits."""
    return np.asarray(np.rint(images * 255) / 255, dtype=np.float32)
