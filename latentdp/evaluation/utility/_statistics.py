"""Private images told from originals by simple statistics, at the size of the release.

A network that looks at small images misses what a few numbers of the whole picture show. Each
measure takes one kind of number; a reader that knows nothing else is tested on patients that it
has not seen (`latentdp.metrics.told_apart`).
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.full_size import FullSizeImages
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.evaluation.utility.base import Utility
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.definitions.likeness import TOLD_APART
from latentdp.metrics.linkage import widened
from latentdp.metrics.told_apart import told_apart
from latentdp.reports.results import Measure

__all__ = ["Statistics"]

FEWEST = 10  # patients to learn from and to be tested on


class Statistics(Utility):
    """AUC of private images against originals by one kind of number.

    Attributes:
        what: By which they are told, in a few words.
        least: Pixels a side that an image must have.
    """

    what: ClassVar[str]
    least: ClassVar[int] = 8

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """Where images lie in no files, or are of too few patients."""
        if scene.full_size is None:
            return "images at the size of a release are not at hand"
        patients = len(np.unique(scene.full_size.patients))
        if patients < FEWEST:
            return f"needs images of {FEWEST} patients, there are those of {patients}"
        return None

    @abstractmethod
    def statistics(self, image: NDArray[np.float32]) -> NDArray[np.float64]:
        """Numbers ``(f,)`` of an image ``(h, w)`` in [0, 1]."""

    def measure(self, scene: ThreatModel, tell: ProgressCallback) -> list[Measure]:
        """One AUC; none where too few images could be read, or are too small."""
        seen = _seen(scene, tell)
        n, patients = len(seen.patients), len(np.unique(seen.patients))
        if patients < FEWEST or min(seen.size) < self.least:
            return []
        tell(0.6, "counting")
        numbers = seen.numbers(self.statistics)
        whose, private = np.tile(seen.patients, 2), np.arange(2 * n) >= n
        told = told_apart(numbers, private, whose, scene.seed)
        weights = Resamples(seen.patients, scene.effort.resamples, scene.seed).of(np.arange(n))
        values = estimate(auc(told.scores, private, np.tile(weights, 2), told.folds))
        if values is None:
            return []
        height, width = seen.size
        return [
            Measure.of(
                widened(values, patients),
                utility=self.name,
                setting=f"{self.what}, {width} x {height} pixels",
                metric=TOLD_APART,
                n=n,
                patients=patients,
                detail={"numbers": numbers.shape[1]},
            )
        ]


def _seen(scene: ThreatModel, tell: ProgressCallback) -> FullSizeImages:
    """The images, which are read once for all measures of a scene."""
    assert scene.full_size is not None
    there = scene.full_size
    seen: FullSizeImages = scene.notes.thing(
        "full size",
        lambda: there.read(lambda share: tell(0.6 * share, "reading images at full size")),
    )
    return seen
