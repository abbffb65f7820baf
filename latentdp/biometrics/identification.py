"""One to many: who of a gallery is on this image?

Names as in face recognition: a *probe* is looked for in a *gallery*; *rank-k* is how often the
right answer is among the k nearest; the CMC curve is rank-k over k. *P@1* and *mAP@R* as in
Musgrave et al. 2020 (arXiv 2003.08505): R is the number of the patient's other images, and
average precision counts the first R places only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.intervals import Resamples, estimate, mean

__all__ = ["RANKS", "Hits", "own_image", "same_patient"]

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]

RANKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Hits:
    """What each probe found.

    Attributes:
        probes: ``(m,)`` indices of the images that were looked for.
        rank: ``(m,)`` place of the first right answer, from 1; ties count half.
        precision: ``(m,)`` average precision at R; the same as a hit where there is one answer.
        right: ``(m,)`` number of right answers in the gallery, R.
        gallery: Number of images that each probe is held against.
        left_out: Images of the probe's own that were taken out of its gallery.
    """

    probes: Index
    rank: Matrix
    precision: Matrix
    right: Index
    gallery: int
    left_out: int = 0

    def first(self) -> Matrix:
        """``(m,)`` 1 where the nearest is right."""
        return self.within(1)

    def within(self, k: int) -> Matrix:
        """``(m,)`` 1 where a right one is among the ``k`` nearest."""
        return (self.rank <= k).astype(np.float64)

    def cmc(self, resamples: Resamples) -> dict[str, object]:
        """The CMC curve with its 95 % band over patients, as JSON values."""
        weights = resamples.of(self.probes)
        ranks = [k for k in RANKS if k <= self.gallery]
        found = [estimate(mean(self.within(k), weights)) for k in ranks]
        return {
            "ranks": ranks,
            "rate": [round(e.value, 4) if e else None for e in found],
            "low": [round(e.low, 4) if e else None for e in found],
            "high": [round(e.high, 4) if e else None for e in found],
            "gallery": self.gallery,
        }


def own_image(scores: Matrix) -> Hits:
    """Each private image is looked for among all originals, its own among them.

    Args:
        scores: ``(n, n)``; private image in the row, original in the column.
    """
    n = len(scores)
    own = np.diag(scores)[:, None]
    others = (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2
    rank = 1 + others
    return Hits(np.arange(n), rank, (rank <= 1).astype(float), np.ones(n, dtype=np.int64), n)


def same_patient(scores: Matrix, patients: Index) -> Hits:
    """Each image is looked for among the other images' references, its own left out.

    Args:
        scores: ``(n, n)``; probe in the row, reference in the column.
        patients: ``(n,)``.

    Raises:
        InputError: No patient has two images.
    """
    several = np.flatnonzero(np.bincount(patients)[patients] > 1)
    if not len(several):
        raise InputError("expected a patient with at least 2 images, got none")
    rank, precision, right = [], [], []
    for i in several:
        row = scores[i].copy()
        row[i] = -np.inf
        answer = patients == patients[i]
        answer[i] = False
        best = row[answer].max()
        rank.append(1 + (row > best).sum() + ((row == best) & ~answer).sum() / 2)
        number = int(answer.sum())
        # Among equals the wrong ones come first: a tie is no success.
        top = np.lexsort((answer, -row))[:number]
        hits = answer[top]
        precision.append((np.cumsum(hits) / np.arange(1, number + 1) * hits).sum() / number)
        right.append(number)
    return Hits(
        several.astype(np.int64),
        np.array(rank, dtype=np.float64),
        np.array(precision),
        np.array(right, dtype=np.int64),
        len(scores) - 1,
        left_out=1,
    )
