"""Scores from a few numbers of an image: of what is on it, and of whether two are of one patient.

Simple ones, that need no training but a covariance: linear discriminants, the cosine, and the
two-covariance model of a patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from latentdp.metrics.scatter import across

__all__ = [
    "cosine",
    "lda",
    "log_odds_against_rest",
    "plda",
]

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]

WEAKEST = 0.02  # least share of a patient that an attacker assumes; 0 would ignore a direction


def log_odds_against_rest(logits: Matrix) -> Matrix:
    """Log-odds ``(n, classes)`` of each class against all others together, in nats.

    Args:
        logits: ``(n, classes)`` logarithms of the classes' probabilities, up to a constant.
    """
    rest = [logsumexp(np.delete(logits, c, axis=1), axis=1) for c in range(logits.shape[1])]
    return np.asarray(logits - np.stack(rest, axis=1))


def lda(z: Matrix, labels: Index, scored: Matrix) -> Matrix:
    """Linear discriminant analysis with Ledoit and Wolf's shrunk covariance (2004).

    Of one covariance for all classes, shrunk once: scikit-learn's ``shrinkage="auto"`` shrinks
    that of each class on its own. Given this shrinkage it comes to the same, but solves by
    singular values, which takes six times as long for a whole latent.

    Args:
        z: ``(m, k)`` to fit on.
        labels: ``(m,)`` in 0..classes - 1, each present.
        scored: ``(n, k)`` to score.

    Returns:
        Log-odds ``(n, classes)`` of each class against all others together, in nats.
    """
    from sklearn.covariance import ledoit_wolf  # slow to import

    means = np.stack([z[labels == c].mean(axis=0) for c in range(int(labels.max()) + 1)])
    covariance = ledoit_wolf(z - means[labels], assume_centered=True)[0]
    covariance[np.diag_indices(len(covariance))] += 1e-9
    solved = np.linalg.solve(covariance, means.T)
    prior = np.log(np.bincount(labels) / len(labels))
    return log_odds_against_rest(scored @ solved - 0.5 * (means * solved.T).sum(axis=1) + prior)


def cosine(a: Matrix, b: Matrix) -> Matrix:
    """Cosine similarity of rows ``(m, k)``."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / np.maximum(lengths, np.finfo(float).tiny))


@dataclass(frozen=True)
class _Plda:
    """Two-covariance model: coordinates in which a patient's share of each is independent."""

    basis: Matrix
    share: Matrix

    def __call__(self, a: Matrix, b: Matrix) -> Matrix:
        """Log-likelihood ratio of one patient against two, of rows ``(m, k)``."""
        a, b, c = a @ self.basis, b @ self.basis, self.share
        score = -((c * c) * (a * a + b * b) - 2 * c * a * b) / (2 * (1 - c * c))
        return np.asarray((score - 0.5 * np.log1p(-c * c)).sum(axis=1))


def plda(spread: Matrix, patients: Sequence[int] | Index) -> _Plda:
    """Fits the two-covariance model on centred rows ``(n, k)``.

    Brummer and de Villiers 2010, "The speaker partitioning problem", section 3. No
    verifier of two images is better where the model is true.
    """
    total = spread.T @ spread / len(spread)
    values, vectors = np.linalg.eigh(total)
    white = vectors / np.sqrt(np.maximum(values, 1e-3 * values[-1] + np.finfo(float).tiny))
    share, turn = np.linalg.eigh(white.T @ across(spread, np.asarray(patients)) @ white)
    return _Plda(white @ turn, np.clip(share, WEAKEST, 0.95))
