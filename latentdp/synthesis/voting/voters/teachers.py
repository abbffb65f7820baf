r"""Teachers: patients are divided among them, and each is taught by their own patients alone.

One patient, one vote. The teacher of a patient is the value of a keyed hash of that patient alone,
modulo the number of teachers; nobody else's teacher depends on who is there, in which order, with
which findings or how many images. All images of a patient are with that teacher. Whoever does not
hold the vault's key sees a division drawn at random, in which a patient and another one in their
place have the same odds of any teacher; so the two cohorts can be told apart no better than where
both have the same teacher (a mixture tells no more than its parts), and of all teachers that one
alone, with one vote, may change. The same holds for a patient and nobody.

Without the key this is a promise about the pseudorandomness of HMAC-SHA256, as the noise is one
about AES. A division into equal parts would need others to move when somebody leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.synthesis.head import Head
from latentdp.synthesis.vectors import PatientImages
from latentdp.synthesis.voting.logistic import taught
from latentdp.synthesis.voting.voters.base import Voters
from latentdp.vault.keys import Keys

__all__ = ["Teachers", "divided", "voters"]

HEADS = "heads"
STRENGTH = 30.0  # fixed on public adults (NIH)


class Teachers(Voters):
    """Linear readers, each of patients of its own."""

    name: ClassVar[str] = "teachers"
    title: ClassVar[str] = "linear readers, each taught by patients of its own"
    source: ClassVar[str] = "Papernot and others 2017 (PATE)"

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
        """One after the other; who has no patient, or none that was read, says no to all."""
        teacher = divided(subjects, keys, number)[images.patients]
        weights = np.zeros((number, *head.weights.shape))
        for i in range(number):
            own = (teacher == i) & images.read
            weights[i] = taught(
                head, images.thumbnails[own], images.findings[own], strength=STRENGTH
            ).weights
        return cls(head, number, {HEADS: weights})

    def leanings(self, questions: NDArray[np.uint8]) -> Iterator[NDArray[np.float64]]:
        """Log odds of each teacher."""
        features = self.head.features(questions)
        for weights in self.tensors[HEADS]:
            yield np.asarray(features @ weights.T)


def divided(subjects: tuple[str, ...], keys: Keys, number: int) -> NDArray[np.int64]:
    """The teacher ``(p,)`` of each patient."""
    return np.array([int(keys.token("teacher", who), 16) % number for who in subjects])


voters = Teachers
