"""One to many: who of a gallery is on this image?

Names as in face recognition: a *probe* is looked for in a *gallery*; *rank-k* is how often the
right answer is among the k nearest; the CMC curve is rank-k over k. *P@1* and *mAP@R* as in
Musgrave et al. 2020 (arXiv 2003.08505): R is the number of the patient's other images, and
average precision counts the first R places only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.special import gammaln

from latentdp.errors import InputError
from latentdp.metrics.bootstrap import Resamples, estimate, mean

__all__ = ["RANKS", "CmcCurve", "Hits", "image_left_out", "own_image", "same_patient"]

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]

RANKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class CmcCurve(Struct, frozen=True, kw_only=True):
    """Cumulative match characteristic: how often a right one is among the first k named.

    Attributes:
        ranks: Each k, rising.
        rate: At these, in [0, 1]; None where it cannot be estimated.
        low: Lower limits of their 95 % band over patients, in [0, 1]; empty without one.
        high: Upper limits of that band, in [0, 1]; empty without one.
        gallery: Number of images that each probe is held against; None where it is not told.

    Raises:
        ValueError: Not as many ranks as rates, or none.
    """

    ranks: tuple[int, ...]
    rate: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    gallery: int | None = None

    def __post_init__(self) -> None:
        if len(self.ranks) != len(self.rate) or not self.ranks:
            raise ValueError("expected as many ranks as rates, and at least one")


@dataclass(frozen=True)
class Hits:
    """Where in the gallery each probe's right answers come.

    Attributes:
        probes: ``(m,)`` indices of the images that were looked for.
        above: ``(m,)`` number of wrong answers before the first right one.
        tied: ``(m,)`` number of wrong answers that are level with it.
        level: ``(m,)`` number of right answers that are level with it, itself counted.
        precision: ``(m,)`` average precision at R; the same as a hit where there is one answer.
        right: ``(m,)`` number of right answers in the gallery, R.
        gallery: Number of images that each probe is held against.
        left_out: Images of the probe's own that were taken out of its gallery.
    """

    probes: Index
    above: Index
    tied: Index
    level: Index
    precision: Matrix
    right: Index
    gallery: int
    left_out: int = 0

    def first(self) -> Matrix:
        """``(m,)`` 1 where the nearest is right."""
        return self.within(1)

    def within(self, k: int) -> Matrix:
        """``(m,)`` chance that a right one is among the ``k`` nearest; ties are drawn by lot."""
        together = self.tied + self.level
        places = np.clip(k - self.above, 0, together)
        filled = np.minimum(places, self.tied)  # with wrong ones: C(tied, d) / C(together, d)
        missed = (gammaln(self.tied + 1) - gammaln(self.tied - filled + 1)) - (
            gammaln(together + 1) - gammaln(together - filled + 1)
        )
        return np.where(places > self.tied, 1.0, -np.expm1(np.minimum(missed, 0.0)))

    def cmc(self, resamples: Resamples) -> CmcCurve:
        """The curve with its 95 % band over patients."""
        weights = resamples.of(self.probes)
        ranks = [k for k in RANKS if k <= self.gallery]
        rates = [estimate(mean(self.within(k), weights)) for k in ranks]
        return CmcCurve(
            ranks=tuple(ranks),
            rate=tuple(round(e.value, 4) if e else None for e in rates),
            low=tuple(round(e.low, 4) if e else None for e in rates),
            high=tuple(round(e.high, 4) if e else None for e in rates),
            gallery=self.gallery,
        )


def own_image(scores: Matrix) -> Hits:
    """Each private image is looked for among all originals, its own among them.

    Args:
        scores: ``(n, n)``; private image in the row, original in the column.
    """
    n = len(scores)
    rounded = np.round(scores, 9)  # those that differ by rounding are level
    own = np.diag(rounded)[:, None]
    one = np.ones(n, dtype=np.int64)
    above, level = (rounded > own).sum(axis=1), (rounded == own).sum(axis=1)
    return Hits(np.arange(n), above, level - 1, one, (above == 0).astype(float), one, n)


def image_left_out(scores: Matrix, patients: Index) -> Hits:
    """Each image is looked for by its patient's others, who are not in the gallery themselves.

    Args:
        scores: ``(n, n)``; in row i what the patient's other images say of each reference.
        patients: ``(n,)``.

    Raises:
        InputError: No patient has two images.
    """
    counts = np.bincount(patients)
    several = np.flatnonzero(counts[patients] > 1)
    if not len(several):
        raise InputError("expected a patient with at least 2 images, got none")
    rounded = np.round(scores[several], 9)
    rounded[patients[several][:, None] == patients[None]] = -np.inf
    mine = np.round(scores[several, several], 9)[:, None]
    above, tied = (rounded > mine).sum(axis=1), (rounded == mine).sum(axis=1)
    one = np.ones(len(several), dtype=np.int64)
    first = ((above == 0) & (tied == 0)).astype(float)
    apart = int(counts.max()) - 1
    return Hits(several, above, tied, one, first, one, len(scores) - apart, left_out=apart)


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
    places, precision, right = [], [], []
    for i in several:
        row = np.round(scores[i], 9)
        row[i] = -np.inf
        answer = patients == patients[i]
        answer[i] = False
        best = row[answer].max()
        same = row == best
        places.append(((row > best).sum(), (same & ~answer).sum(), (same & answer).sum()))
        number = int(answer.sum())
        # Among equals the wrong ones come first: a tie is no success.
        top = np.lexsort((answer, -row))[:number]
        hits = answer[top]
        precision.append((np.cumsum(hits) / np.arange(1, number + 1) * hits).sum() / number)
        right.append(number)
    above, tied, level = np.array(places, dtype=np.int64).T
    return Hits(
        several.astype(np.int64),
        above,
        tied,
        level,
        np.array(precision),
        np.array(right, dtype=np.int64),
        len(scores) - 1,
        left_out=1,
    )
