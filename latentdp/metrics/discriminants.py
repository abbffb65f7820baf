"""What a few numbers of a latent tell: a reader's AUC for a finding, an attacker's for identity.

No noise is added here: this is what the directions carry before a mechanism protects them. Both
sides get the best of several simple opponents, so the numbers of either are a little too high
rather than too low. Intervals are a bootstrap over patients, not over images (Efron and
Tibshirani 1993, chapter 8: resample what is independent).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from latentdp.metrics.scatter import across
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import below

__all__ = [
    "PatientPairs",
    "cosine",
    "lda",
    "plda",
]

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]

IMPOSTORS = 20  # pairs of different patients for each pair of the same
WEAKEST = 0.02  # least share of a patient that an attacker assumes; 0 would ignore a direction


@dataclass(frozen=True)
class PatientPairs:
    """Pairs of images ``(m,)``: indices of both, and whether they show the same patient."""

    first: Index
    second: Index
    same: NDArray[np.bool_]

    @classmethod
    def of(cls, patients: Index, cells: Index, *, matched: bool, seed: int = 5) -> PatientPairs:
        """All pairs of a patient's images, and `IMPOSTORS` pairs of two patients for each.

        Args:
            patients: ``(n,)`` indices of patients.
            cells: ``(n,)`` indices of stratum and finding.
            matched: Draw impostors from the cells of the pair that they stand beside, so that
                telling them apart needs more than the finding, the view or the source.
            seed: Of the draws.
        """
        order = np.argsort(patients, kind="stable")
        found = [
            (i, j)
            for group in np.split(order, np.flatnonzero(np.diff(patients[order])) + 1)
            for x, i in enumerate(group)
            for j in group[x + 1 :]
        ]
        noise = SeededNoise(seed)
        true = np.array(found, dtype=np.int64).reshape(-1, 2)
        sides = [np.repeat(true[:, side], IMPOSTORS) for side in (0, 1)]
        false = np.empty((len(sides[0]), 2), dtype=np.int64)
        for side, members in enumerate(sides):
            for cell in np.unique(cells[members]):
                here = np.flatnonzero(cells[members] == cell)
                pool = np.flatnonzero(cells == cell) if matched else np.arange(len(cells))
                false[here, side] = pool[below(noise, len(pool), len(here))]
        false = false[patients[false[:, 0]] != patients[false[:, 1]]]
        both = np.concatenate([true, false])
        return cls(both[:, 0], both[:, 1], np.arange(len(both)) < len(true))


def lda(z: Matrix, labels: Index, seen: Matrix) -> Matrix:
    """Log-odds ``(n, classes)`` of each class, with Ledoit and Wolf's shrunk covariance.

    Args:
        z: ``(m, k)`` to fit on.
        labels: ``(m,)`` in 0..classes - 1, each present.
        seen: ``(n, k)`` to score.
    """
    from sklearn.covariance import ledoit_wolf  # slow to import

    means = np.stack([z[labels == c].mean(axis=0) for c in range(int(labels.max()) + 1)])
    covariance = ledoit_wolf(z - means[labels], assume_centered=True)[0]
    covariance[np.diag_indices(len(covariance))] += 1e-9
    solved = np.linalg.solve(covariance, means.T)
    prior = np.log(np.bincount(labels) / len(labels))
    log = seen @ solved - 0.5 * (means * solved.T).sum(axis=1) + prior
    rest = [logsumexp(np.delete(log, c, axis=1), axis=1) for c in range(log.shape[1])]
    return np.asarray(log - np.stack(rest, axis=1))


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
