"""Do patients differ in a feature? One-way analysis of variance, of many features at once."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["analysis_of_variance"]

Matrix = NDArray[np.float64]

FLAT = 1e-9  # a feature whose values differ by no more says nothing


def analysis_of_variance(x: Matrix, patients: NDArray[np.int64]) -> tuple[Matrix, Matrix]:
    """Whether patients differ in each feature, and how much.

    Args:
        x: ``(n, f)`` features of images.
        patients: ``(n,)`` in 0..patients - 1, each with several images.

    Returns:
        P values ``(f,)`` of an F test on ranks, 1 for a feature that never changes; and shares of
        variance ``(f,)`` that are a patient's: intraclass correlations (Fisher 1925), at most 1
        and a little below 0 by chance.
    """
    sizes = np.bincount(patients)
    values, ranks = (
        [y[patients == patient] for patient in range(len(sizes))]
        for y in (x, stats.rankdata(x, axis=0))
    )
    # Not scikit-learn's `f_classif`: it takes the scatter within as a difference, which rounding
    # makes negative where a patient's images agree exactly, as planted ones do. Then p is NaN.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)  # such features are looked for
        p, ratio = stats.f_oneway(*ranks).pvalue, stats.f_oneway(*values).statistic
    size = (len(x) - np.square(sizes).sum() / len(x)) / (len(sizes) - 1)
    with np.errstate(invalid="ignore"):
        share = np.where(np.isposinf(ratio), 1.0, (ratio - 1) / (ratio + size - 1))
    flat = np.ptp(x, axis=0) <= FLAT
    return np.where(flat, 1.0, p), np.where(flat, 0.0, share)
