"""What a method of synthesis is: a joint record of each patient, and a fit to its noisy sum.

To add one, write a module here with a class that extends `Method`, and name it ``method``. Its
docstring proves the sensitivity; the contract tests hold it to that. The accounting, the noise and
the reader that labels what is drawn are the same for all, and so are the first two blocks of a
record: the shares of images by finding, which add up to the number of patients, and the findings
as they are, which say how common each is.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.statistics import NoisyStatistics
from latentdp.synthesis.vectors import Block, PatientImages, joint_records

__all__ = ["REST", "Method"]

COUNTS, PREVALENCE = 0.3, 0.2  # shares of a record
REST = math.sqrt(1 - COUNTS**2 - PREVALENCE**2)  # what a method may spend on its own blocks
SEVERAL = 2  # findings of an image, above which prevalence is understated


class Method(ABC):
    """One way to learn a generator.

    Args:
        public: Of the weights; it knows nothing of the cohort.
        findings: Number of different findings in the cohort.

    Attributes:
        name: As an option has it.
        title: What it does, in a line.
        source: Where the idea comes from.
        public: As given.
        findings: As given.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]

    def __init__(self, public: PublicModel, findings: int) -> None:
        self.public, self.findings = public, findings

    @property
    @abstractmethod
    def moments(self) -> tuple[Block, ...]:
        """The method's own blocks; the squares of their shares add up to that of `REST`."""

    @abstractmethod
    def moments_of(self, images: PatientImages) -> tuple[NDArray[np.float64], ...]:
        """Of each own block ``(n, size)``, one row an image, which depends on that image alone."""

    @abstractmethod
    def fit(self, statistics: NoisyStatistics, known: NDArray[np.bool_]) -> LatentMixture:
        """The generator; it follows the noisy sums and public values alone.

        Args:
            statistics: As released.
            known: ``(f + 1,)`` which findings may be told, and last True for none. Sums of the
                others must not be touched.
        """

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Of a record: counts, prevalence, and the method's own."""
        return (
            Block(size=self.findings + 1, bound=1.0, share=COUNTS),
            Block(size=self.findings, bound=math.sqrt(SEVERAL), share=PREVALENCE),
            *self.moments,
        )

    def records(self, images: PatientImages) -> NDArray[np.float64]:
        """The joint record ``(p, k)`` of each patient, of a length of at most 1."""
        of_findings = (images.shares, images.findings.astype(np.float64))
        vectors = (*of_findings, *self.moments_of(images))
        return joint_records(vectors, self.blocks, images.patients)
