"""From the images of patients to a generator: what is added up, what is released, what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noise import Noise, SeededNoise
from latentdp.synthesis.curator import Curator
from latentdp.synthesis.head import Head, HeadData, learn_head, start_drawn
from latentdp.synthesis.methods.base import SynthesisMethod
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.synthesis.public import thumbnails
from latentdp.synthesis.statistics import CohortSum, NoisyStatistics, known_findings
from latentdp.synthesis.vectors import PatientImages

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["Learner", "Learnt", "calibrated", "seen"]

UNITS, CALIBRATION = 64, 512  # images that are drawn for the units of a head, to calibrate it


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """What was released of a cohort.

    Attributes:
        statistics: The noisy sums that most follows from. None for a method that went on in
            rounds, for which they are not enough, and where not all names may be told.
        mixture: Draws latents.
        head: Labels what is decoded; None where no finding is known.
        known: ``(f,)`` which findings it labels.
        prevalence: ``(labelled findings,)`` noisy share of patients with each of these.
        patients: The noisy number of patients.
        deviation: Standard deviation of its noise.
    """

    statistics: NoisyStatistics | None
    mixture: LatentMixture
    head: Head | None
    known: NDArray[np.bool_]
    prevalence: NDArray[np.float64]
    patients: float
    deviation: float

    @property
    def faint(self) -> bool:
        """Whether the cohort hardly stands out of its own noise."""
        return self.patients < 10 * self.deviation


class Learner:
    """Sees each patient once, and releases what it learnt once.

    Args:
        method: How a generator is learnt.
        plan: The noise.
        declared: The names of findings are public.
    """

    def __init__(self, method: SynthesisMethod, plan: SynthesisPlan, *, declared: bool) -> None:
        self._method, self._plan, self._declared = method, plan, declared
        self._sum = CohortSum(method.blocks, plan.statistics)
        self._data = HeadData()

    def add(self, images: PatientImages) -> None:
        """Takes in all images of some patients, who have no others."""
        self._sum.add(self._method.records(images))
        self._data.add(images)

    def release(self, noise: Noise) -> Learnt:
        """Draws all noise; to be called once, after it was paid for."""
        statistics = self._sum.release(noise)
        counts = statistics.counts
        known = known_findings(counts, self._plan.names_delta, declared=self._declared)
        released_classes = np.append(known, True)
        patients = max(1.0, float(counts.sums[released_classes].sum()))
        # First the generator: the head is in units of what it draws.
        mixture = self._method.learn(statistics, released_classes, self._curator(noise))
        head = None
        if known.any():
            head = learn_head(
                self._data,
                known,
                self._start(mixture, int(known.sum())),
                self._plan.gradients,
                count=patients,
                epsilon=self._plan.guarantee(Relation.REPLACE_ONE).epsilon,
                noise=noise,
            )
        return Learnt(
            statistics=statistics if self._declared and self._plan.steps is None else None,
            mixture=mixture,
            head=head,
            known=known,
            prevalence=statistics.prevalence(patients)[known],
            patients=patients,
            deviation=counts.deviation * float(np.sqrt(released_classes.sum())),
        )

    def _start(self, mixture: LatentMixture, findings: int) -> Head:
        """A head that knows nothing but how what is drawn varies."""
        public = self._method.public
        small = public.samples
        if public.show is not None:
            drawn = public.show(mixture.draw(SeededNoise(0), UNITS, public.d))
            small = drawn if len(drawn) else small
        return start_drawn(small, findings)

    def _curator(self, noise: Noise) -> Curator:
        """Answers the method's rounds."""
        return Curator(self._data.parts, self._plan.steps, noise)


def calibrated(learnt: Learnt, flow: Flow) -> Head | None:
    """The head with offsets under which findings are as common among images as among patients.

    What is drawn is not quite distributed as the cohort is, and a head that is right on the one
    may call nearly all of the other normal. It follows what was released and public weights alone.

    Args:
        learnt: What was released.
        flow: That it was learnt with.
    """
    if learnt.head is None:
        return None
    latents = learnt.mixture.draw(SeededNoise(0), CALIBRATION, flow.d)
    images, valid = flow.decode_valid(latents)
    return learnt.head.calibrated(images[valid], learnt.prevalence)


def seen(
    flow: Flow,
    images: Images,
    findings: NDArray[np.bool_],
    read: NDArray[np.bool_],
    patients: NDArray[np.int64],
) -> PatientImages:
    """Images as methods see them: **private**.

    Each patient's are encoded apart: what a network computes of an image is rounded as the batch
    has it, and then a patient more would change the last digits of others, which no sensitivity
    covers.

    Args:
        flow: That encodes them, without their labels.
        images: ``(n, h, w)`` in [0, 1], of the flow's size.
        findings: ``(n, f)`` which of them each image shows.
        read: ``(n,)`` whether somebody read the image.
        patients: ``(n,)`` number of the patient of each image, as of `PatientImages`.
    """
    own = [images[patients == patient] for patient in np.unique(patients)]
    return PatientImages(
        latents=np.concatenate([flow.encode(part)[:, flow.levels[0]] for part in own]),
        thumbnails=np.concatenate([thumbnails(part) for part in own]),
        findings=findings,
        read=read,
        patients=patients,
    )
