"""Does a synthetic set look like the cohort? By the features of a public chest network.

Every number stands beside the same of other patients' originals, of which there are as many: a
distance of few images is too large, and real patients are not one another either.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from latentdp.evaluation.utility.similarity import distance_of
from latentdp.metrics.bootstrap import Estimate, Resamples, estimate, mean
from latentdp.metrics.definitions.fidelity import FRECHET, PRECISION, RECALL
from latentdp.metrics.linkage import widened
from latentdp.metrics.manifold import NEIGHBOURS, within
from latentdp.metrics.metric import Metric
from latentdp.reports.results import Measure

__all__ = ["FEWEST", "fidelity"]

Matrix = NDArray[np.float64]

FEWEST = 20  # images of each side
DIMENSIONS = 32  # of the features that are compared: a cloud of few images knows no more
UTILITY = "fidelity"


def fidelity(cohort: Matrix, sides: dict[str, Matrix], seed: int) -> list[Measure]:
    """Frechet distance, precision and recall of each side against the cohort.

    Args:
        cohort: ``(n, d)`` features, one image of each patient.
        sides: By name ``(n, d)`` features of as many images.
        seed: Of the bootstrap.
    """
    n = len(cohort)
    size = min(DIMENSIONS, cohort.shape[1], max(1, n // 4))
    pca = PCA(size, svd_solver="full").fit(cohort)
    weights = Resamples(np.arange(n), seed=seed).counts
    near = pca.transform(cohort)
    return [
        Measure.of(
            value,
            utility=UTILITY,
            setting=f"{name} beside the cohort",
            metric=metric,
            n=n,
            patients=n,
            headline=True,
            detail={"note": f"{n:,} images of either side", "dimensions": size,
                    "neighbours": NEIGHBOURS},
        )
        for name, features in sides.items()
        for metric, value in _numbers(near, pca.transform(features), weights)
    ]  # fmt: skip


def _numbers(cohort: Matrix, side: Matrix, weights: Matrix) -> Iterator[tuple[Metric, Estimate]]:
    yield FRECHET, distance_of(cohort, side, weights)
    for metric, inside in ((PRECISION, within(side, cohort)), (RECALL, within(cohort, side))):
        share = estimate(mean(inside.astype(np.float64), weights))
        yield metric, widened(share, len(inside))
