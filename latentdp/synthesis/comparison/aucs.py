"""How well readers that learn on a set tell findings of others; the same readers for all sets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.metrics.bootstrap import Estimate, Resamples, auc, estimate
from latentdp.models.networks.classifier_cache import ClassifierCache
from latentdp.synthesis.comparison.cohort import NORMAL, ComparedCohort, LabelledSet
from latentdp.synthesis.readers import Lecture, linear, network

__all__ = ["READERS", "Aucs", "Reader"]

Matrix = NDArray[np.float64]
Reader = Callable[[Lecture, Images, int], Matrix | None]
"""Scores ``(tests, f)`` of who learnt from a lecture, under a seed; None if nothing is learnt."""

READERS: dict[str, Reader] = {
    "linear": lambda lecture, tested, _: linear(lecture, tested),
    "cnn": lambda lecture, tested, seed: network(lecture, tested, ClassifierCache(), [seed]),
}


class Aucs:
    """How well scores tell findings of the tests of a cohort, with intervals over patients.

    Args:
        cohort: With its tests.
    """

    def __init__(self, cohort: ComparedCohort) -> None:
        self._cohort = cohort
        self._weights = Resamples(cohort.tests.patients).of(np.arange(len(cohort.tests.patients)))

    def learnt(
        self, reader: str, learning: LabelledSet, seed: int
    ) -> tuple[Estimate | None, Estimate | None]:
        """Of a reader that learns on a set; a finding that all or none show is left to chance."""
        tests = self._cohort.tests
        lecture = Lecture(
            images=learning.images,
            shown=learning.findings,
            probabilities=learning.probabilities,
        )
        scores = READERS[reader](lecture, tests.images, seed)
        if scores is None:
            scores = np.zeros(tests.findings.shape)
        return self.of(scores)

    def of(self, scores: Matrix) -> tuple[Estimate | None, Estimate | None]:
        """Of normal against all else, and the mean over findings; None of what nobody shows.

        Args:
            scores: ``(tests, f)``, a column for each finding.
        """
        truth = self._cohort.tests.findings
        each = [auc(scores[:, i], truth[:, i], self._weights) for i in range(truth.shape[1])]
        names = self._cohort.names
        normal = estimate(each[names.index(NORMAL)]) if NORMAL in names else None
        # A finding that no test has says nothing.
        told = [values for values in each if np.isfinite(values[0])]
        return normal, estimate(np.mean(told, axis=0)) if told else None
