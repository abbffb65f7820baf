"""Members told from others: rates of detection at small rates of false alarms, with intervals.

What is independent is a release, with its noise and the coins that chose its members: intervals
are a bootstrap over releases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from latentdp.metrics.bootstrap import Estimate, Resamples, estimate

__all__ = ["FEWEST_ALARMS", "Detection", "auc_ceiling", "detected", "detection_ceiling"]

Matrix = NDArray[np.float64]

RESAMPLES = 200
FEWEST_ALARMS = 10  # that a rate of false alarms must be made of, or it is not measured
FEWEST_RELEASES = 8  # resampled ones are hardly others: of fewer, an interval says nothing


@dataclass(frozen=True, kw_only=True)
class Detection:
    """How well members were told from others.

    Attributes:
        auc: Of all decisions together; None where there is nothing to compare.
        caught: By rate of false alarms, the share of members that is named; None where so few
            others were rated that the rate cannot be measured.
        members: Decisions about members.
        others: Decisions about others.
    """

    auc: Estimate | None
    caught: dict[float, Estimate | None]
    members: int
    others: int


def detected(
    scores: Matrix, member: NDArray[np.bool_], rates: Sequence[float], seed: int
) -> Detection:
    """Rates of detection of one attack on several releases.

    Args:
        scores: ``(releases, patients)``; larger for a member.
        member: ``(releases, patients)`` who was one.
        rates: Of false alarms.
        seed: Of the bootstrap.
    """
    releases = np.repeat(np.arange(len(scores)), scores.shape[1])
    order = np.argsort(-scores.ravel(), kind="stable")
    ends = np.flatnonzero(np.diff(scores.ravel()[order], append=np.nan) != 0)
    yes, of = member.ravel()[order], releases[order]
    counts = Resamples(np.arange(len(scores)), RESAMPLES, seed).counts
    curves = [_curve(row[of], yes, ends) for row in counts]
    others = int((~member).sum())
    return Detection(
        auc=_estimate([_area(false, true) for false, true in curves], len(scores)),
        caught={
            rate: _estimate([_reached(false, true, rate) for false, true in curves], len(scores))
            if rate * others >= FEWEST_ALARMS
            else None
            for rate in rates
        },
        members=int(member.sum()),
        others=others,
    )


def detection_ceiling(rate: float, mu: float) -> float:
    """Largest share of members that any attack names under mu-GDP (Dong et al. 2019).

        >>> round(detection_ceiling(0.01, 0.0), 6)
        0.01

    Args:
        rate: Of false alarms, in (0, 1).
        mu: Of everything that is released.
    """
    return float(ndtr(ndtri(rate) + mu))


def auc_ceiling(mu: float) -> float:
    """Largest area under the curve of any attack under mu-GDP."""
    return float(ndtr(mu / np.sqrt(2)))


def _estimate(values: Sequence[float], releases: int) -> Estimate | None:
    """A share with its interval over releases; from 0 to 1 where they are too few for one."""
    found = estimate(np.array(values))
    if found is None or releases >= FEWEST_RELEASES:
        return found
    return Estimate(value=found.value, low=0.0, high=1.0)


def _curve(
    weights: Matrix, member: NDArray[np.bool_], ends: NDArray[np.int64]
) -> tuple[Matrix, Matrix]:
    """Shares of others and of members above each distinct score, from 0 on."""
    true = np.cumsum(np.where(member, weights, 0.0))[ends]
    false = np.cumsum(np.where(member, 0.0, weights))[ends]
    with np.errstate(invalid="ignore"):
        shares = false / false[-1], true / true[-1]
    return np.append(0.0, shares[0]), np.append(0.0, shares[1])


def _area(false: Matrix, true: Matrix) -> float:
    return float((np.diff(false) * (true[1:] + true[:-1]) / 2).sum())


def _reached(false: Matrix, true: Matrix, rate: float) -> float:
    """At the last score whose rate of false alarms is no larger: nothing is interpolated."""
    if not np.isfinite(false).all():
        return float("nan")
    return float(true[np.searchsorted(false, rate, side="right") - 1])
