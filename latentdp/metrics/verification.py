"""One to one: are two images of the same patient? ROC, AUC and EER with intervals over patients.

ISO/IEC 19795-1 names: a false match is an impostor taken for the patient, a false non-match the
patient taken for an impostor; the equal error rate (EER) is where both are as frequent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from latentdp.metrics.bootstrap import Estimate, Resamples, auc, estimate
from latentdp.metrics.pairs import Pairs

__all__ = ["GRID", "RocCurve", "VerificationScores", "verify"]

Matrix = NDArray[np.float64]

GRID = np.concatenate([np.linspace(0, 0.1, 21), np.linspace(0.125, 1, 36)])  # of false matches


class RocCurve(Struct, frozen=True, kw_only=True):
    """How many true pairs are found at the price of how many false alarms.

    Attributes:
        fpr: Rates of false matches, in [0, 1].
        tpr: Rates of true matches at these, in [0, 1].
        low: Of their 95 % band over patients; empty without one.
        high: Upper limits of that band, in [0, 1].

    Raises:
        ValueError: Not as many rates of both kinds, or none.
    """

    fpr: tuple[float, ...]
    tpr: tuple[float, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        if len(self.fpr) != len(self.tpr) or not self.fpr:
            raise ValueError("expected as many fpr as tpr, and at least one")


@dataclass(frozen=True)
class VerificationScores:
    """What one or several verifiers reach on the same pairs.

    Attributes:
        auc: Area under the ROC curve of each verifier, in [0, 1].
        restarts: How many of them stand for themselves.
        mean: Mean of the AUCs of these; the interval is of the mean.
        best: Largest AUC; the interval is of the largest, within each resample.
        eer: Equal error rate in [0, 1] of the verifier with the largest AUC.
        roc: Curve of the verifier with the largest AUC.
    """

    auc: tuple[float, ...]
    restarts: int
    mean: Estimate
    best: Estimate
    eer: Estimate
    roc: RocCurve


def verify(
    scores: Matrix, pairs: Pairs, resamples: Resamples, *, summed: bool = False
) -> VerificationScores:
    """Measures verifiers.

    Args:
        scores: ``(verifiers, pairs)``; larger for "the same patient".
        pairs: The pairs that the scores are of.
        resamples: How often each patient of the images is drawn.
        summed: The last verifier is the others together: it counts for the best, not the mean.
    """
    weights = resamples.pairs(pairs.probe, pairs.reference)
    areas = np.stack([auc(row, pairs.same, weights) for row in scores])
    leader = int(np.argmax(areas[:, 0]))
    rates = _rates(scores[leader], pairs.same, weights)
    band = np.nanquantile(rates[1:], (0.025, 0.975), axis=0)
    roc = RocCurve(
        fpr=_rounded(GRID),
        tpr=_rounded(rates[0]),
        low=_rounded(np.minimum(band[0], rates[0])),
        high=_rounded(np.maximum(band[1], rates[0])),
    )
    restarts = len(areas) - summed
    mean, best = estimate(areas[:restarts].mean(axis=0)), estimate(areas.max(axis=0))
    eer = estimate(_equal_error(scores[leader], pairs.same, weights))
    assert mean is not None
    assert best is not None
    assert eer is not None
    return VerificationScores(
        auc=tuple(float(a) for a in areas[:, 0]),
        restarts=restarts,
        mean=mean,
        best=best,
        eer=eer,
        roc=roc,
    )


def _rounded(rates: Matrix) -> tuple[float, ...]:
    return tuple(round(float(rate), 4) for rate in rates)


def _curves(scores: Matrix, same: NDArray[np.bool_], weights: Matrix) -> tuple[Matrix, Matrix]:
    """Shares of impostors and of true pairs above each distinct threshold, highest first."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.diff(scores[order], append=np.nan) != 0)
    w, yes = weights[:, order], same[order]
    true = np.cumsum(np.where(yes, w, 0.0), axis=1)[:, ends]
    false = np.cumsum(np.where(yes, 0.0, w), axis=1)[:, ends]
    with np.errstate(invalid="ignore"):
        return false / false[:, -1:], true / true[:, -1:]


def _rates(scores: Matrix, same: NDArray[np.bool_], weights: Matrix) -> Matrix:
    fpr, tpr = _curves(scores, same, weights)
    return np.stack([np.interp(GRID, f, t) for f, t in zip(fpr, tpr, strict=True)])


def _equal_error(scores: Matrix, same: NDArray[np.bool_], weights: Matrix) -> Matrix:
    fpr, tpr = _curves(scores, same, weights)
    gap = fpr - (1 - tpr)
    at = np.argmax(gap >= 0, axis=1)
    rows = np.arange(len(fpr))
    # Between the last threshold at which matches are missed more often and the first at which
    # impostors pass more often, both errors are taken to be linear.
    g1, g0 = gap[rows, at], np.where(at > 0, gap[rows, at - 1], -1.0)
    f1, f0 = fpr[rows, at], np.where(at > 0, fpr[rows, at - 1], 0.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(f0 + (f1 - f0) * (-g0 / (g1 - g0)))
