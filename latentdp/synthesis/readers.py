"""Readers of findings that learn on one set of images and score another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from latentdp.core.arrays import Images
from latentdp.models.networks.classifier_cache import ClassifierCache
from latentdp.models.networks.finding_classifier import ClassifierConfig
from latentdp.synthesis.public import thumbnails

__all__ = ["Lecture", "by_class_means", "linear", "network"]

Matrix = NDArray[np.float64]
BATCH, EPOCHS, MOST_STEPS = 64, 15, 400


@dataclass(frozen=True, kw_only=True)
class Lecture:
    """What a reader learns from.

    Attributes:
        images: ``(n, h, w)`` in [0, 1].
        shown: ``(n, f)`` which findings each shows.
        probabilities: ``(n, f)`` of these in [0, 1], where whoever labelled them gave any. A
            network learns them instead: which images are close to the border between two labels
            is then no noise to it (Hinton et al. 2015, arXiv 1503.02531).
    """

    images: Images
    shown: NDArray[np.bool_]
    probabilities: Matrix | None = None


def linear(lecture: Lecture, tested: Images) -> Matrix:
    """Scores ``(tests, f)`` of logistic readers of 16 by 16 pixels, one for each finding."""

    def score(shown: NDArray[np.bool_]) -> Matrix:
        reader = LogisticRegression(max_iter=2_000).fit(_flat(lecture.images), shown)
        return np.asarray(reader.decision_function(_flat(tested)))

    return _each(lecture, tested, score)


def by_class_means(lecture: Lecture, tested: Images) -> Matrix:
    """Scores ``(tests, f)`` of who knows the mean picture with and without a finding alone."""
    learnt, flat = _flat(lecture.images), _flat(tested)

    def score(shown: NDArray[np.bool_]) -> Matrix:
        return np.asarray(flat @ (learnt[shown].mean(axis=0) - learnt[~shown].mean(axis=0)))

    return _each(lecture, tested, score)


def network(
    lecture: Lecture, tested: Images, cache: ClassifierCache, seeds: Sequence[int]
) -> Matrix | None:
    """Mean scores ``(tests, f)`` of small networks; None where there is nothing to tell apart.

    A finding that nothing was learnt of is scored 0.
    """
    taught = np.flatnonzero(lecture.shown.any(axis=0))
    if len(taught) < 2:
        return None
    said = lecture.shown if lecture.probabilities is None else lecture.probabilities
    rows = said[:, taught].any(axis=1)
    shares = said[np.ix_(rows, taught)].astype(np.float32)
    shares /= shares.sum(axis=1, keepdims=True)
    images = lecture.images[rows][None]
    steps = min(MOST_STEPS, max(MOST_STEPS // 8, EPOCHS * len(shares) // BATCH))
    scores = np.zeros((len(tested), lecture.shown.shape[1]))
    for seed in seeds:
        settings = ClassifierConfig(steps=steps, seed=seed)
        reader = cache.classifier(images, shares[None], len(taught), settings)
        scores[:, taught] += reader.log_odds(tested) / len(seeds)
    return scores


def _each(
    lecture: Lecture, tested: Images, score: Callable[[NDArray[np.bool_]], Matrix]
) -> Matrix:
    """A column of scores for each finding; 0 where all images show it, or none."""
    columns = [
        np.zeros(len(tested)) if shown.all() or not shown.any() else score(shown)
        for shown in lecture.shown.T
    ]
    return np.stack(columns, axis=1) if columns else np.zeros((len(tested), 0))


def _flat(images: Images) -> Matrix:
    return thumbnails(images).reshape(len(images), -1) / 255.0
