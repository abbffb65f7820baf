"""Are synthetic images copies? The cohort's patients must be no nearer to them than others are.

A small distance proves nothing by itself: chests are alike. So each synthetic image is looked for
among one image of each patient of the cohort, and of as many others who were not learnt from.

Few originals are near to many images, and one of them decides much. Intervals are therefore as
wide as the numbers spread where the same originals are divided into two groups by lot: of a set
that copies nobody, 95 in 100 intervals hold what guessing gives, however the originals lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from latentdp.metrics.bootstrap import Estimate
from latentdp.metrics.definitions.fidelity import NAMED, NEAREST_MEDIAN
from latentdp.metrics.definitions.membership import MORE_NAMED, NEARER
from latentdp.metrics.metric import Metric
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation
from latentdp.reports.results import Measure, Outcome

__all__ = ["FEWEST", "Galleries", "copies"]

Matrix = NDArray[np.float64]

FEWEST = 20  # patients of either gallery
LOTS = 400  # ways to divide all originals
REACH = 40  # nearest originals of an image; a gallery without any of them is not met
FALSE_ALARMS = 0.01
ATTACK, UTILITY = "copying", "nearest original"
WHOSE = ("of the cohort", "of as many others")


@dataclass(frozen=True, kw_only=True)
class Galleries:
    """Images by one ruler, all as vectors whose Euclidean distance counts.

    Attributes:
        ruler: Its name.
        synthetic: ``(s, d)``.
        cohort: ``(n, d)``, one image of each patient.
        others: ``(n, d)``, one image of each of as many others.
        verifies: Whether the distance is that of a network that tells patients.
    """

    ruler: str
    synthetic: Matrix
    cohort: Matrix
    others: Matrix
    verifies: bool = False

    @cached_property
    def ranked(self) -> tuple[NDArray[np.int64], Matrix]:
        """Of each synthetic image the nearest originals of both galleries, and their distances."""
        distances = cdist(self.synthetic, np.concatenate([self.cohort, self.others]))
        order = np.argsort(distances, axis=1)[:, :REACH]
        return order, np.take_along_axis(distances, order, axis=1)


def copies(galleries: Galleries, seed: int) -> tuple[list[Outcome], list[Measure]]:
    """What speaks for copies, and the distances that it rests on.

    Args:
        galleries: That are compared.
        seed: Of the lots.
    """
    g, n = galleries, len(galleries.cohort)
    near = [_nearest(g, group) for group in _divisions(n, seed)]  # the first is the true one
    first, others = (np.stack([pair[side] for pair in near]) for side in range(2))
    nearer = np.where(first == others, 0.5, first < others).mean(axis=1)
    found = [_outcome(g, NEARER, _share(nearer, n), 0.5)]
    measures = [
        _measure(g, NEAREST_MEDIAN, _spread(np.median(side, axis=1)), whose)
        for side, whose in zip((first, others), WHOSE, strict=True)
    ]
    if g.verifies:
        limit = float(np.quantile(cdist(g.others, g.cohort).min(axis=1), FALSE_ALARMS))
        named = [(side <= limit).mean(axis=1) for side in (first, others)]
        measures += [
            _measure(g, NAMED, _share(share, n), whose)
            for share, whose in zip(named, WHOSE, strict=True)
        ]
        found.append(_outcome(g, MORE_NAMED, _share(named[0] - named[1], n, -1.0), 0.0))
    return found, measures


def _divisions(n: int, seed: int) -> NDArray[np.bool_]:
    """``(1 + LOTS, 2 n)`` who is in the first group; in the first row the cohort is."""
    noise = SeededNoise(seed)
    lots = np.stack([permutation(noise, 2 * n) < n for _ in range(LOTS // 2)])
    return np.concatenate([[np.arange(2 * n) < n], lots, ~lots])  # either group may be the first


def _nearest(galleries: Galleries, group: NDArray[np.bool_]) -> tuple[Matrix, Matrix]:
    """Distances ``(s,)`` of the nearest original in a group, and of the nearest outside it."""
    order, near = galleries.ranked
    rows, inside = np.arange(len(near)), group[order]

    def first(side: NDArray[np.bool_]) -> Matrix:
        return np.where(side.any(axis=1), near[rows, side.argmax(axis=1)], np.inf)

    return first(inside), first(~inside)


def _spread(values: Matrix, low: float = 0.0, high: float = np.inf) -> Estimate:
    """The first value, with the spread of the others around their mean."""
    lots = values[1:] - values[1:].mean()
    below, above = np.quantile(lots, (0.025, 0.975))
    value = float(values[0])
    return Estimate.around(value, max(low, value - above), min(high, value - below))


def _share(values: Matrix, patients: int, low: float = 0.0) -> Estimate:
    """The same of shares, which none or all of few patients do not make certain."""
    spread, unseen = _spread(values, low, 1.0), 1 - 0.025 ** (1 / patients)
    value = spread.value
    return Estimate(
        value, min(spread.low, max(low, value - unseen)), max(spread.high, min(1, value + unseen))
    )


def _outcome(galleries: Galleries, metric: Metric, value: Estimate, chance: float) -> Outcome:
    return Outcome.of(
        value,
        attack=ATTACK,
        setting=f"by {galleries.ruler}",
        metric=metric,
        n=len(galleries.synthetic),
        patients=2 * len(galleries.cohort),
        chance=chance,
        headline=True,
    )


def _measure(galleries: Galleries, metric: Metric, value: Estimate, whose: str) -> Measure:
    return Measure.of(
        value,
        utility=UTILITY,
        setting=f"by {galleries.ruler}, {whose}",
        metric=metric,
        n=len(galleries.synthetic),
        patients=len(galleries.cohort),
    )
