"""A lower bound of epsilon from features of what comes out under two inputs.

For what has no likelihood: the pixels of a released image. The scores that are tried are each
feature alone, and Fisher's (1936) linear discriminant of all; one half of the draws chooses, the
other half tests (`latentdp.privacy.audit.best_event`). Poor features make the bound lower and
never wrong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.privacy.audit.best_event import CONFIDENCE, best_event

__all__ = ["told_apart"]

_RIDGE = 1e-6  # of a feature's variance

Matrix = NDArray[np.float64]


def told_apart(
    first: Matrix, second: Matrix, *, delta: float = 0.0, confidence: float = CONFIDENCE
) -> float:
    """Epsilon that separates two samples, in nats: a lower bound, at least 0.

    Args:
        first: ``(n, features)``, each row an independent draw from the first input.
        second: As many from the second.
        delta: Of the claim.
        confidence: One minus the chance of a bound that is too high.
    """
    half, alarm = len(first) // 2, 1 - confidence
    seen, kept = (first[:half], second[:half]), (first[half:], second[half:])
    weights = np.column_stack([np.eye(first.shape[1]), _discriminant(*seen)])
    events = []
    for weight in weights.T:
        scores = [sample @ weight for sample in seen]
        events.append((best_event(*scores, delta=delta, alarm=alarm), weight))
    event, weight = max(events, key=lambda one: one[0].promised)
    tested = [sample @ weight for sample in kept]
    return event.bound(*tested, delta=delta, alarm=alarm)


def _discriminant(first: Matrix, second: Matrix) -> Matrix:
    """The direction ``(features,)`` of the best linear score."""
    gap = first.mean(axis=0) - second.mean(axis=0)
    within = np.atleast_2d(np.cov(first.T) + np.cov(second.T))
    scale = np.sqrt(np.diag(within) + _RIDGE * (1 + gap**2))
    within = within / np.outer(scale, scale) + _RIDGE * np.eye(len(gap))
    return np.asarray(np.linalg.solve(within, gap / scale) / scale)
