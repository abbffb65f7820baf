"""Estimates with intervals: what is independent is a patient, not an image or a pair.

Intervals are a bootstrap over patients (Efron and Tibshirani 1993, chapter 8: resample what is
independent; Field and Welsh 2007 for clusters).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import below

__all__ = ["RESAMPLES", "Estimate", "Resamples", "auc", "estimate", "mean", "share"]

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]

RESAMPLES = 500


@dataclass(frozen=True)
class Estimate:
    """A number with the limits of its 95 % interval, which holds the number.

    Attributes:
        value: Of the data as they are, such as an AUC or a share in [0, 1].
        low: Lower limit, in the unit of the value.
        high: Upper limit, in the unit of the value.

    Raises:
        ValueError: The interval does not hold the number.

    Example:
        >>> Estimate.around(0.7, 0.71, 0.9)
        Estimate(value=0.7, low=0.7, high=0.9)
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"expected an interval that holds {self.value}, got {self.low} to {self.high}"
            )

    @classmethod
    def around(cls, value: float, low: float, high: float) -> Self:
        """With limits that are moved as far as the value where they leave it out.

        Percentiles of a bootstrap do so where what is estimated is biased, such as the largest
        of several numbers, or where few patients leave few different resamples. An interval may
        be too wide; one without its own number is about something else.
        """
        return cls(value, min(low, value), max(high, value))

    def rounded(self, digits: int = 3) -> tuple[float, float, float]:
        """Value, low, high: for a card."""
        return round(self.value, digits), round(self.low, digits), round(self.high, digits)


class Resamples:
    """How often each patient is drawn in each resample; the first row is the data as it is.

    Args:
        patients: ``(n,)`` indices of patients.
        count: Number of resamples.
        seed: Seed of the draws.
    """

    def __init__(self, patients: Index, count: int = RESAMPLES, seed: int = 11) -> None:
        self.patients = np.unique(patients, return_inverse=True)[1]
        n = int(self.patients.max()) + 1
        chosen = below(SeededNoise(seed), n, count * n).reshape(count, n)
        chosen += n * np.arange(count)[:, None]
        counts = np.bincount(chosen.ravel(), minlength=count * n).reshape(count, n)
        self.counts = np.concatenate([np.ones((1, n)), counts])

    def images(self, rows: NDArray[np.bool_]) -> Matrix:
        """Weights ``(1 + count, n of rows)`` of images, chosen by a mask."""
        return np.asarray(self.counts[:, self.patients[rows]])

    def of(self, rows: Index) -> Matrix:
        """Weights ``(1 + count, n of rows)`` of images, chosen by index."""
        return np.asarray(self.counts[:, self.patients[rows]])

    def pairs(self, first: Index, second: Index) -> Matrix:
        """Weights of pairs of images: one of a single patient counts once per draw of theirs."""
        a, b = (self.counts[:, self.patients[i]] for i in (first, second))
        return np.where(self.patients[first] == self.patients[second], a, a * b)


def auc(
    scores: Matrix, positive: NDArray[np.bool_], weights: Matrix, strata: Index | None = None
) -> Matrix:
    """Weighted area under the ROC curve (Mann-Whitney, ties count half), within strata.

    Args:
        scores: ``(n,)``.
        positive: ``(n,)``.
        weights: ``(r, n)``, one row per resample.
        strata: ``(n,)``; only pairs within a stratum are compared. None for one stratum.

    Returns:
        ``(r,)``; NaN where a resample has no pair to compare.
    """
    won, compared = np.zeros(len(weights)), np.zeros(len(weights))
    for stratum in [None] if strata is None else np.unique(strata):
        rows = np.arange(len(scores)) if stratum is None else np.flatnonzero(strata == stratum)
        rows = rows[np.argsort(scores[rows], kind="stable")]
        starts = np.flatnonzero(np.diff(scores[rows], prepend=-np.inf))
        w, yes = weights[:, rows], positive[rows]
        ups = np.add.reduceat(np.where(yes, w, 0.0), starts, axis=1)
        downs = np.add.reduceat(np.where(yes, 0.0, w), starts, axis=1)
        below_or_tied = np.cumsum(downs, axis=1) - downs / 2
        won += (ups * below_or_tied).sum(axis=1)
        compared += ups.sum(axis=1) * downs.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(won / compared)


def estimate(values: Matrix) -> Estimate | None:
    """From `auc` of the data (first) and of its resamples; None if there was nothing to compare.

    The interval is the bootstrap's percentiles, and holds the value (`Estimate.around`).
    """
    resampled = values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]) or not len(resampled):
        return None
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Estimate.around(float(values[0]), float(low), float(high))


def mean(values: Matrix, weights: Matrix) -> Matrix:
    """Weighted means ``(r,)`` of ``(n,)`` values, one per row of ``(r, n)`` weights."""
    with np.errstate(invalid="ignore"):
        return np.asarray((weights @ values) / weights.sum(axis=1))


def share(values: Matrix, patients: int) -> Estimate | None:
    """From `mean` of hits, of the data (first) and of its resamples; never narrower than exact.

    A bootstrap of none or all hits has no width. The interval is therefore joined with that of
    Clopper and Pearson (1934) for as many independent trials as there are patients.

    Args:
        values: ``(1 + resamples,)`` in [0, 1].
        patients: Number of patients that they rest on.
    """
    bootstrap = estimate(values)
    if bootstrap is None:
        return None
    hits = bootstrap.value * patients
    low = betaincinv(hits, patients - hits + 1, 0.025) if hits > 0 else 0.0
    high = betaincinv(hits + 1, patients - hits, 0.975) if hits < patients else 1.0
    return Estimate(
        bootstrap.value, min(bootstrap.low, float(low)), max(bootstrap.high, float(high))
    )
