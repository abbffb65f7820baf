"""What an adversarial game is played with: images, and pairs of one patient or of two."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from latentdp.errors import InputError

__all__ = ["Material", "some"]


@dataclass(frozen=True, eq=False)
class Material:
    """What one side of the game is played with.

    Attributes:
        images: ``(n, h, w)`` float32 in [0, 1].
        patients: ``(n,)`` numbers of patients.
        findings: ``(n,)`` class indices, -1 unknown: what the reader reads.
    """

    images: NDArray[np.float32]
    patients: NDArray[np.int64]
    findings: NDArray[np.int64]

    @cached_property
    def of_each(self) -> list[NDArray[np.int64]]:
        """Rows of the images of each patient."""
        order = np.argsort(self.patients, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.patients[order])) + 1)

    @cached_property
    def several(self) -> list[NDArray[np.int64]]:
        """Rows of patients who have several images."""
        return [rows for rows in self.of_each if len(rows) > 1]

    def check(self) -> None:
        """Refuses material without pairs of both kinds.

        Raises:
            InputError: Fewer than two patients, or none who has two images.
        """
        if len(self.of_each) < 2 or not self.several:
            raise InputError("expected at least 2 patients, and one who has 2 images")

    def draw(self, n: int, g: torch.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of ``n`` pairs, ``(n,)`` each; the first half are of one patient, the rest not."""
        first, second = [], []
        for i in range(n):
            if i < n // 2:
                rows = self.several[some(len(self.several), 1, g)[0]]
                a, b = rows[some(len(rows), 2, g)]
            else:
                a, b = (_one(self.of_each[k], g) for k in some(len(self.of_each), 2, g))
            first.append(a)
            second.append(b)
        return np.array(first), np.array(second)

    @cached_property
    def digest(self) -> str:
        """Of all that is in it."""
        parts = (self.images, self.patients, self.findings)
        return hashlib.sha256(
            b"".join(hashlib.sha256(x.tobytes()).digest() for x in parts)
        ).hexdigest()


def some(bound: int, n: int, g: torch.Generator) -> NDArray[np.int64]:
    """``n`` different numbers below ``bound``, or all of them."""
    return np.asarray(torch.randperm(bound, generator=g)[:n].numpy())


def _one(rows: NDArray[np.int64], g: torch.Generator) -> np.int64:
    return np.int64(rows[int(torch.randint(len(rows), (1,), generator=g))])
