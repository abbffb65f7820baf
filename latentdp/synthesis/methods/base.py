"""What a method of synthesis is: a joint record of each patient, and a fit to its noisy sum.

To add one, write a module here with a class that extends `SynthesisMethod`, and name it
``method``. Its docstring proves the sensitivity; the contract tests hold it to that. The
accounting, the noise and the reader that labels what is drawn are the same for all, and so are the
first two blocks of a record: the shares of images by finding, which add up to the number of
patients, and the findings as they are, which say how common each is.

Most methods learn from that one release. One that goes on in rounds says how many (``steps``) and
asks the curator in `SynthesisMethod.learn`; the plan pays for as many, asked or not.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from latentdp.core import plugins
from latentdp.synthesis.methods._moments import CLEAR
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.statistics import NoisyStatistics
from latentdp.synthesis.vectors import PatientImages, RecordBlock, joint_records

if TYPE_CHECKING:
    from latentdp.synthesis.curator import Curator

__all__ = ["REST", "CountsAlone", "SynthesisMethod", "learns_in_rounds"]

COUNTS, PREVALENCE = 0.3, 0.2  # shares of a record
REST = math.sqrt(1 - COUNTS**2 - PREVALENCE**2)  # what a method may spend on its own blocks
SEVERAL = 2  # findings of an image, above which prevalence is understated


class SynthesisMethod(ABC):
    """One way to learn a generator.

    Args:
        public: Of the weights; it knows nothing of the cohort.
        findings: Number of different findings in the cohort.

    Attributes:
        name: As an option has it.
        title: What it does, in a line.
        source: Where the idea comes from.
        measured: What it adds up of images in the first release, as the card says it.
        asked: What it adds up in later rounds; empty where there are none.
        steps: How many later rounds there are.
        public: As given.
        findings: As given.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    measured: ClassVar[str] = "sums and mean squares of coarse latents"
    asked: ClassVar[str] = ""
    steps: ClassVar[int] = 0

    def __init__(self, public: PublicModel, findings: int) -> None:
        self.public, self.findings = public, findings

    @property
    @abstractmethod
    def moments(self) -> tuple[RecordBlock, ...]:
        """The method's own blocks; the squares of their shares add up to that of `REST`.

        A method that learns in rounds alone has none.
        """

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

    def learn(
        self, statistics: NoisyStatistics, known: NDArray[np.bool_], curator: Curator
    ) -> LatentMixture:
        """The generator, by rounds for which a method overrides this; by default there are none.

        Args:
            statistics: As released.
            known: As for `fit`.
            curator: Answers ``steps`` questions about the cohort with noise, and no more. A
                question must depend on answers and public values alone.
        """
        return self.fit(statistics, known)

    @property
    def blocks(self) -> tuple[RecordBlock, ...]:
        """Of a record: counts, prevalence, and the method's own; the first two alone fill it."""
        own = self.moments
        fill = 1.0 if own else 1 / math.hypot(COUNTS, PREVALENCE)
        several = math.sqrt(SEVERAL)
        return (
            RecordBlock(size=self.findings + 1, bound=1.0, share=fill * COUNTS),
            RecordBlock(size=self.findings, bound=several, share=fill * PREVALENCE),
            *own,
        )

    def records(self, images: PatientImages) -> NDArray[np.float64]:
        """The joint record ``(p, k)`` of each patient, of a length of at most 1."""
        of_findings = (images.shares, images.findings.astype(np.float64))
        vectors = (*of_findings, *self.moments_of(images))
        return joint_records(vectors, self.blocks, images.patients)


class CountsAlone(SynthesisMethod):
    """A method whose first release holds nothing but the counts by finding.

    It is the flow's prior until rounds teach it something: override `rounds`.
    """

    measured: ClassVar[str] = "nothing else"

    @property
    def moments(self) -> tuple[RecordBlock, ...]:
        """None."""
        return ()

    def moments_of(self, images: PatientImages) -> tuple[NDArray[np.float64], ...]:
        """None."""
        return ()

    def fit(self, statistics: NoisyStatistics, known: NDArray[np.bool_]) -> LatentMixture:
        """The prior."""
        return LatentMixture.prior(self.public.coarse)

    def learn(
        self, statistics: NoisyStatistics, known: NDArray[np.bool_], curator: Curator
    ) -> LatentMixture:
        """By `rounds`; the prior as it is where patients do not stand out of their noise."""
        counts = statistics.counts
        patients = float(counts.sums[known].sum())
        if patients <= CLEAR * math.sqrt(known.sum()) * counts.deviation:
            return self.fit(statistics, known)
        return self.rounds(patients, statistics, known, curator)

    def rounds(
        self,
        patients: float,
        statistics: NoisyStatistics,
        known: NDArray[np.bool_],
        curator: Curator,
    ) -> LatentMixture:
        """What a method learns that asks its cohort again; `fit` for one that does not.

        Args:
            patients: Their noisy number, which stands out of its noise.
            statistics: As for `learn`.
            known: As for `learn`.
            curator: As for `learn`.
        """
        return self.fit(statistics, known)


def learns_in_rounds(name: str) -> bool:
    """Whether a method asks its cohort again after the first release.

    Raises:
        InputError: There is no such method.
    """
    return bool(plugins.load("synthesis methods", name).method.steps)
