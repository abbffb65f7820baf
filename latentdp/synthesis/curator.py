"""What stands between a method of several rounds and the cohort: it answers with noise, or not.

A method asks with a function of images, which may follow all answers before; the curator adds up
what the function says of each patient and tells the noisy sum. It answers as often as was planned
and paid for, and never once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import Rounds
from latentdp.privacy.noise import Noise
from latentdp.synthesis.statistics import NoisyBlock
from latentdp.synthesis.vectors import PatientImages, RecordBlock, joint_records

__all__ = ["Curator", "Question", "answered"]

Question = Callable[[PatientImages], NDArray[np.float64]]


class Curator:
    """Answers questions about a cohort.

    Args:
        cohort: **Private**: all images of some patients in each part.
        rounds: How many answers there are, and with which noise; None for none.
        noise: Fresh bits for each answer.
    """

    def __init__(
        self, cohort: Sequence[PatientImages], rounds: Rounds | None, noise: Noise
    ) -> None:
        self._cohort, self._rounds, self._noise = cohort, rounds, noise
        self._left = 0 if rounds is None else rounds.times

    @property
    def deviation(self) -> float:
        """Of the noise on each entry of an answer, where a patient's vector has length 1."""
        return 0.0 if self._rounds is None else self._rounds.release.deviation

    def ask(self, question: Question, size: int) -> NoisyBlock:
        """The noisy sum, over patients, of the mean over their images.

        Args:
            question: Gives a vector ``(n, size)`` of each image, which depends on that image
                alone. What is longer than 1, as a patient's mean, is scaled down to it.
            size: Of a vector.

        Raises:
            InputError: More is asked than was planned.
        """
        if self._rounds is None or self._left == 0:
            raise InputError("the method asks the cohort more often than it said, and paid for")
        self._left -= 1
        release = self._rounds.release
        total = np.zeros(size, dtype=np.int64)
        for images in self._cohort:
            total += release.quantise(answered(question, images, size)).sum(axis=0)
        return NoisyBlock(release.release(total, self._noise), release.deviation)


def answered(question: Question, images: PatientImages, size: int) -> NDArray[np.float64]:
    """The record ``(p, size)`` of each patient: a mean over their images, of length 1 at most."""
    block = RecordBlock(size=size, bound=1.0, share=1.0)
    return joint_records([question(images)], [block], images.patients)
