"""Which of many candidates a private image was made from: scores become rank-1 and AUC.

Intervals are a bootstrap over the patients of the probes; the gallery is taken as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.metrics.bootstrap import Estimate, Resamples, estimate, mean
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation

__all__ = ["Match", "correlations", "matched", "some", "widened"]

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Match:
    """How well sources were found.

    Attributes:
        first: How often the right candidate scored highest; a tie is guessed.
        area: How often it scored higher than another candidate: the AUC of one probe, averaged.
        named: ``(p,)`` share of each probe's guess that is right.
    """

    first: Estimate
    area: Estimate
    named: Matrix


def matched(
    scores: NDArray[Any], own: Index, patients: Index, *, resamples: int, seed: int
) -> Match:
    """Finds the source of each probe.

    Args:
        scores: ``(p, n)`` of p probes against n candidates; larger is likelier. Those that agree
            to nine decimals are tied: they differ by rounding.
        own: ``(p,)`` index of each probe's source.
        patients: ``(p,)`` numbers of the probes' patients.
        resamples: Number of resamples of the bootstrap.
        seed: Seed of the bootstrap.

    Raises:
        InputError: Fewer than two candidates, or a score that is no number.
    """
    if scores.shape[1] < 2 or np.isnan(scores).any():
        raise InputError(f"expected scores of at least 2 candidates, got shape {scores.shape}")
    rounded = np.round(scores, 9)
    mine = rounded[np.arange(len(own)), own]
    best = rounded == rounded.max(axis=1, keepdims=True)
    named = np.where(best[np.arange(len(own)), own], 1 / best.sum(axis=1), 0.0)
    below = (rounded < mine[:, None]).sum(axis=1) + (
        (rounded == mine[:, None]).sum(axis=1) - 1
    ) / 2
    weights = Resamples(patients, resamples, seed)
    rows = np.ones(len(own), dtype=np.bool_)
    count = len(np.unique(patients))
    first, area = (
        widened(estimate(mean(values, weights.images(rows))), count)
        for values in (named, below / (scores.shape[1] - 1))
    )
    return Match(first, area, named)


def widened(bootstrap: Estimate | None, patients: int) -> Estimate:
    """An interval that allows for patients unlike any that were seen.

    A bootstrap of values that are all 0 or all 1 has no width, as if n patients proved what holds
    for everyone. A share of up to 1 - 0.025^(1/n) of people can be absent among n (Clopper and
    Pearson 1934, at 0 or n successes); the limits are at least what that share would make of them.

    Args:
        bootstrap: A mean of values in [0, 1], with its interval.
        patients: Number of patients that it rests on.

    Raises:
        InputError: There was nothing to estimate from.
    """
    if bootstrap is None:
        raise InputError("expected at least one patient to estimate from, got none")
    value, present = bootstrap.value, 0.025 ** (1 / patients)
    low, high = value * present, 1 - (1 - value) * present
    return Estimate(value, min(bootstrap.low, low), max(bootstrap.high, high))


def some(n: int, most: int, seed: int) -> Index:
    """At most ``most`` of ``n`` rows, in their order.

    By lot: a ceiling of a guarantee holds for probes that nobody chose.
    """
    return np.sort(permutation(SeededNoise(seed), n)[:most])


def correlations(a: NDArray[Any], b: NDArray[Any]) -> Matrix:
    """Pearson's correlation ``(p, n)`` of rows ``(p, d)`` with rows ``(n, d)``.

    Both stacks are centred on their own means first, so that what all images share counts for
    nothing. A row without any contrast correlates with nothing. One matrix product: scipy's
    ``cdist(..., "correlation")`` gives the same ten times slower, and NaN for such a row.

    Args:
        a: ``(p, ...)`` images or vectors.
        b: ``(n, ...)`` such as those of ``a``.
    """
    sides = []
    for side in (a, b):
        x = np.asarray(side, dtype=np.float64).reshape(len(side), -1)
        x = x - x.mean(axis=0)
        x = x - x.mean(axis=1, keepdims=True)
        length = np.linalg.norm(x, axis=1, keepdims=True)
        sides.append(np.divide(x, length, out=np.zeros_like(x), where=length > 1e-9))
    return np.asarray(sides[0] @ sides[1].T)
