"""How far made images are from originals: features of a verifier, and fresh networks that read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from _results import Interval
from _simple_readers import RESAMPLES, interval
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.metrics.bootstrap import Resamples
from latentdp.metrics.told_apart import told_apart
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier
from latentdp.models.networks.verifier import Verifier

__all__ = ["told_by_features", "told_by_networks", "verifier_features"]


def verifier_features() -> Callable[[Images], NDArray[np.float64]]:
    """What Frechet distances are of: features ``(n, d)`` of images ``(n, 64, 64)``."""
    verifier = Verifier.load("cxr-verifier-64")
    return lambda images: np.asarray(verifier(images), dtype=np.float64)


def told_by_networks(
    learnt: tuple[Images, Images],
    tried: tuple[Images, Images],
    patients: NDArray[np.int64],
    *,
    readers: int = 1,
    steps: int,
    seed: int,
) -> Interval | None:
    """AUC at which fresh networks together tell made images from originals, over patients.

    Args:
        learnt: Originals and made images ``(n, h, w)`` that they learn from.
        tried: Others, of the same patients in the same order.
        patients: ``(n,)`` whose these are, counted from 0.
        readers: Networks, of which the sum of log-odds counts.
        steps: Of each.
        seed: Of the first one, and of resamples.
    """
    both, shown = np.concatenate(learnt), np.concatenate(tried)
    labels = np.repeat([0, 1], [len(side) for side in learnt]).astype(np.int64)
    scores = np.zeros(len(shown))
    for i in range(readers):
        settings = ClassifierConfig(steps=steps, seed=seed + i)
        reader = FindingClassifier.fit(both[None], labels[None], 2, settings)
        scores += reader.log_odds(shown)[:, 1]
    return interval(scores, patients, Resamples(patients, RESAMPLES, seed))


def told_by_features(
    features: Callable[[Images], NDArray[np.float64]],
    originals: Images,
    made: Images,
    patients: NDArray[np.int64],
    *,
    seed: int,
) -> Interval | None:
    """AUC of a logistic reader of fixed features, on patients whom it has not seen.

    Another kind of reader than networks that a generator may have learnt against.

    Args:
        features: Of images ``(n, h, w)``.
        originals: ``(n, h, w)`` in [0, 1].
        made: Others, of the same patients in the same order.
        patients: ``(n,)`` whose these are, counted from 0.
        seed: Of folds and resamples.
    """
    n = len(originals)
    numbers = np.concatenate([features(originals), features(made)])
    told = told_apart(numbers, np.arange(2 * n) >= n, np.tile(patients, 2), seed)
    return interval(told.scores, patients, Resamples(patients, RESAMPLES, seed), told.folds)
