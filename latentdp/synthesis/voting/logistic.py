"""Linear readers of thumbnails: teachers learn from true labels, students from noisy answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from latentdp.synthesis.head import Head

__all__ = ["taught"]

CERTAIN = 20.0  # log odds of a finding that all images show, or none


def taught(
    head: Head, thumbnails: NDArray[np.uint8], shown: NDArray[np.bool_], *, strength: float
) -> Head:
    """A logistic reader of each finding by itself, on the features of a head.

    A finding that all images show, or none, is certain to it; without any image none is there.

    Args:
        head: Whose features are read, with a row of weights for each finding.
        thumbnails: ``(n, s, s)``.
        shown: ``(n, f)`` which findings each shows.
        strength: Inverse of the penalty on weights, fixed on public images.
    """
    weights = np.zeros_like(head.weights)
    if not len(shown):
        weights[:, -1] = -CERTAIN
        return head.with_weights(weights)
    features = head.features(thumbnails)[:, :-1]
    for row, column in zip(weights, shown.T, strict=True):
        if column.all() or not column.any():
            row[-1] = CERTAIN if column.all() else -CERTAIN
            continue
        reader = LogisticRegression(C=strength, max_iter=1_000).fit(features, column)
        row[:-1], row[-1] = reader.coef_[0], reader.intercept_[0]
    return head.with_weights(weights)
