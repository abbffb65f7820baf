"""What is computed of private images, and one joint record of each patient from it.

A patient's record is a mean over their images, block by block, each block clipped to a public
length and given its share; the squares of the shares add up to 1. So however many images a patient
has, their record has a length of at most 1, and the sum over patients moves by at most 1 with one
patient more or less, and by at most 2 with another one in their place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.privacy.mechanisms.base import clip_norm, finite

__all__ = ["RecordBlock", "PatientImages", "check_shares", "joint_records", "patient_means"]

Matrix = NDArray[np.float64]

LOUDEST = 1e3  # of a latent, whose standard deviation is 1


@dataclass(frozen=True, kw_only=True)
class PatientImages:
    """All images of some patients, as a method sees them: **private**.

    Attributes:
        latents: ``(n, m)`` coarsest latents, encoded without a label. Beyond a public bound they
            count as that bound, and NaN as 0: nothing overflows, whatever an image holds.
        thumbnails: ``(n, s, s)`` uint8, means over squares of pixels.
        findings: ``(n, f)`` which findings an image shows.
        read: ``(n,)`` whether somebody said what an image shows; if not, it has none of these.
        patients: ``(n,)`` int64, of which patient: 0 to p - 1, in ascending order, none left out.
    """

    latents: Matrix
    thumbnails: NDArray[np.uint8]
    findings: NDArray[np.bool_]
    read: NDArray[np.bool_]
    patients: NDArray[np.int64]

    def __post_init__(self) -> None:
        bounded = np.clip(finite(self.latents), -LOUDEST, LOUDEST)
        object.__setattr__(self, "latents", bounded)

    @property
    def shares(self) -> Matrix:
        """``(n, f + 1)``: an image is shared out evenly to its findings.

        The last column is for images without any. Each row adds up to 1, so its length is at most
        1, and sums over rows count images whatever they show.
        """
        none = ~self.findings.any(axis=1, keepdims=True)
        columns = np.concatenate([self.findings, none], axis=1)
        return np.asarray(columns / columns.sum(axis=1, keepdims=True))


@dataclass(frozen=True, kw_only=True)
class RecordBlock:
    """A part of a patient's record.

    Attributes:
        size: Number of entries.
        bound: Public largest length (l2) of a patient's vector; what is longer is scaled down.
        share: Of the record's length, above 0.
        by_finding: Its entries are rows of equal length, one of each finding and one of none.
    """

    size: int
    bound: float
    share: float
    by_finding: bool = False


def check_shares(blocks: Sequence[RecordBlock]) -> None:
    """Refuses blocks that together could be longer than 1.

    Raises:
        InputError: The squares of the shares add up to more.
    """
    if math.fsum(block.share**2 for block in blocks) > 1 + 1e-9:
        raise InputError("the shares of a record's blocks make it longer than 1")


def joint_records(
    vectors: Sequence[Matrix], blocks: Sequence[RecordBlock], patients: NDArray[np.int64]
) -> Matrix:
    """One record ``(p, k)`` of each patient, of a length of at most 1.

    Args:
        vectors: Of each block ``(n, size)``, a row for each image.
        blocks: With their bounds and shares.
        patients: ``(n,)`` as in `PatientImages`.
    """
    check_shares(blocks)
    parts = []
    for vector, block in zip(vectors, blocks, strict=True):
        clipped = clip_norm(patient_means(vector, patients), block.bound, 2)
        parts.append(clipped * (block.share / block.bound))
    return np.concatenate(parts, axis=1)


def patient_means(vectors: Matrix, patients: NDArray[np.int64]) -> Matrix:
    """Mean over the images of each patient ``(p, k)``; NaN counts as 0."""
    starts = np.flatnonzero(np.diff(patients, prepend=-1))
    sums = np.add.reduceat(finite(vectors), starts, axis=0) if len(starts) else vectors[:0]
    counts = np.diff(np.append(starts, len(patients)))
    return np.asarray(sums / counts[:, None])
