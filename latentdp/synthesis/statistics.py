"""The first release of a cohort: the noisy sum of all joint records, and what may be told of it.

Findings whose names are not declared public are told only where enough patients have them, by the
noisy count and never by a true one (Korolova et al. 2009, "Releasing search queries and clicks
privately"; Gopi et al. 2020, "Differentially private set union").
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from latentdp.errors import InputError
from latentdp.privacy.noise import Noise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.findings import MOST_NAMES
from latentdp.synthesis.vectors import RecordBlock

__all__ = ["CohortSum", "NoisyBlock", "NoisyStatistics", "known_findings"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class NoisyBlock:
    """A block of the noisy sum, in the units of its vectors.

    Attributes:
        sums: ``(size,)``, summed over patients.
        deviation: Standard deviation of the noise on each entry.
    """

    sums: Vector
    deviation: float


@dataclass(frozen=True)
class NoisyStatistics:
    """What was released of a cohort; all that follows from it is post-processing.

    Attributes:
        blocks: In the order of the method's blocks; the first counts patients by finding, and in
            its last entry those without any; the second says how many have each finding, beside
            others or not.
    """

    blocks: tuple[NoisyBlock, ...]

    def __add__(self, other: NoisyStatistics) -> NoisyStatistics:
        """Of two cohorts together, each with noise of its own.

        Raises:
            InputError: They are of different methods or findings.
        """
        if [len(block.sums) for block in self.blocks] != [len(b.sums) for b in other.blocks]:
            raise InputError("expected noisy sums of one method and of the same findings")
        return NoisyStatistics(
            tuple(
                NoisyBlock(one.sums + two.sums, math.hypot(one.deviation, two.deviation))
                for one, two in zip(self.blocks, other.blocks, strict=True)
            )
        )

    @property
    def counts(self) -> NoisyBlock:
        """Noisy numbers of patients by finding, and last those without any."""
        return self.blocks[0]

    def prevalence(self, patients: float) -> Vector:
        """Noisy share of patients with each finding ``(f,)``, in [0, 1].

        Args:
            patients: Their noisy number, above 0.
        """
        return np.asarray(np.clip(self.blocks[1].sums / patients, 0, 1))


class CohortSum:
    """Adds up integer records; its memory does not depend on how many there are.

    Args:
        blocks: Of a record.
        mechanism: How records are quantised, and how much noise their sum gets.
    """

    def __init__(self, blocks: Sequence[RecordBlock], mechanism: NoisySum) -> None:
        self._blocks, self._mechanism = tuple(blocks), mechanism
        self._total = np.zeros(sum(block.size for block in blocks), dtype=np.int64)

    def add(self, records: NDArray[np.float64]) -> None:
        """Adds joint records ``(p, k)``, one of each patient, who has no other."""
        self._total += self._mechanism.quantise(records).sum(axis=0)

    def release(self, noise: Noise) -> NoisyStatistics:
        """The noisy sums. Each call is a release that must be paid for."""
        noisy = self._mechanism.release(self._total, noise)
        deviation = self._mechanism.deviation
        return NoisyStatistics(
            tuple(
                NoisyBlock(
                    sums=noisy[rows] * (block.bound / block.share),
                    deviation=deviation * block.bound / block.share,
                )
                for block, rows in zip(self._blocks, self._rows(), strict=True)
            )
        )

    def _rows(self) -> Iterator[slice]:
        ends = accumulate((block.size for block in self._blocks), initial=0)
        return (slice(start, end) for start, end in pairwise(ends))


def known_findings(counts: NoisyBlock, delta: float, *, declared: bool) -> NDArray[np.bool_]:
    """Which findings ``(f,)`` may be named.

    A patient's shares of the findings that nobody else has add up to at most 1. One of weight w
    passes the threshold t with probability Q((t - w) / s), s the deviation of the noise. That is
    convex in w, so the worst are all of the weight in one finding and none in the other 63, and
    with t = 1 + s Q^-1(delta / 64) any of them passes with probability at most delta. A hundredth
    more covers that noise is rounded to cells, which moves it by half of one.

    Args:
        counts: The noisy count of each finding, and last of none.
        delta: Probability with which a finding of one patient alone may be named; above 0 unless
            the names are declared.
        declared: The names are public: all are known, however few patients have them.
    """
    of_findings = counts.sums[:-1]
    if declared:
        return np.ones(len(of_findings), dtype=np.bool_)
    threshold = 1 - 1.01 * counts.deviation * float(ndtri(delta / MOST_NAMES))
    return np.asarray(of_findings > threshold)
