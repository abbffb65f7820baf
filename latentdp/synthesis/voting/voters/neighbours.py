r"""Neighbours: for each question the patients vote whose images are most like it.

One patient, one vote. A patient is as far from a question as the nearest of their images, in
public features, and votes as that image was read. The k nearest patients vote; equal distances are
ordered by the vault's key. All that depends on the patient alone. Put the patients in order: to
take one out lets at most one other in at the end of the first k, to put one in pushes at most one
out, and both together exchange one voter for another at most. So one vote changes at most, in
each election, whoever is replaced or left out. Where there are fewer than k patients it is
refused, so that the number of votes is k for any cohort.

There are no teachers to be taught, and patients are not sampled (Private-kNN samples them, which
saves some of the cost under add-remove only).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.synthesis.head import Head
from latentdp.synthesis.vectors import PatientImages
from latentdp.synthesis.voting.voters.base import Voters
from latentdp.vault.keys import Keys

__all__ = ["Neighbours", "voters"]

TOGETHER = 16  # questions
SIDE = 8  # pixels in which images are compared; fixed on public adults (NIH)


class Neighbours(Voters):
    """The patients nearest to a question."""

    name: ClassVar[str] = "neighbours"
    title: ClassVar[str] = "the patients whose images are most like the question"
    source: ClassVar[str] = "Zhu and others 2020 (Private-kNN), without its sampling"

    @classmethod
    def teach(
        cls,
        images: PatientImages,
        subjects: tuple[str, ...],
        keys: Keys,
        *,
        head: Head,
        number: int,
    ) -> Self:
        """Keeps images that were read, by patients in the order of the key."""
        place = np.argsort(np.argsort([keys.token("neighbour", who) for who in subjects]))
        patients = place[images.patients][images.read]
        order = np.argsort(patients, kind="stable")
        numbers = np.unique(patients, return_inverse=True)[1]
        if len(numbers) == 0 or numbers.max() + 1 < number:
            raise InputError(
                f"expected at least {number} patients with findings, as many as shall vote"
            )
        return cls(
            head,
            number,
            {
                "thumbnails": images.thumbnails[images.read][order],
                "findings": images.findings[images.read][order],
                "patients": numbers[order],
            },
        )

    def leanings(self, questions: NDArray[np.uint8]) -> Iterator[NDArray[np.float64]]:
        """1 for each finding of the nearest image of a neighbour, -1 for all others.

        Grey levels are whole numbers, and so are all sums below: no distance is rounded, which
        would depend on who else is there.
        """
        known = self._pixels(self.tensors["thumbnails"])
        patients, findings = self.tensors["patients"], self.tensors["findings"]
        starts = np.flatnonzero(np.diff(patients, prepend=-1))
        said = np.empty((self.number, len(questions), findings.shape[1]))
        for first in range(0, len(questions), TOGETHER):
            asked = self._pixels(questions[first : first + TOGETHER])
            distance = ((asked**2).sum(axis=1)[:, None] - 2 * asked @ known.T) + (known**2).sum(
                axis=1
            )
            nearest = np.minimum.reduceat(distance, starts, axis=1)
            order = np.argsort(nearest, axis=1, kind="stable")[:, : self.number]
            for i, (row, own) in enumerate(zip(order, distance, strict=True)):
                ends = np.append(starts, len(patients))
                images = [
                    s + own[s:e].argmin() for s, e in zip(ends[row], ends[row + 1], strict=True)
                ]
                said[:, first + i] = np.where(findings[images], 1.0, -1.0)
        yield from said

    def _pixels(self, thumbnails: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Sums over squares ``(n, s * s)``: whole numbers, whose squares floats add exactly."""
        size = thumbnails.shape[1]
        side = next(s for s in range(min(SIDE, size), 0, -1) if size % s == 0)
        step = size // side
        squares = thumbnails.reshape(len(thumbnails), side, step, side, step).astype(np.float64)
        return np.asarray(squares.sum(axis=(2, 4)).reshape(len(thumbnails), -1))


voters = Neighbours
