"""Noise in the prediction: teachers of different patients vote, and a student learns from answers.

It is PATE (Papernot and others 2017), as ``latentdp vote`` does it (`latentdp.synthesis.voting`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from latentdp.privacy.aggregators.base import MOST_VOTES
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.vote_accountant import Elections
from latentdp.private_training.comparison.noise_point import LearntPoint, NoisePoint
from latentdp.private_training.readers import LinearReader
from latentdp.synthesis.head import start
from latentdp.synthesis.vectors import PatientImages
from latentdp.synthesis.voting.logistic import taught
from latentdp.synthesis.voting.student import STRENGTH
from latentdp.synthesis.voting.voters.base import Ballot, counted
from latentdp.synthesis.voting.voters.teachers import Teachers
from latentdp.vault.keys import KEY_BYTES, Keys

if TYPE_CHECKING:
    from latentdp.synthesis.public import PublicModel

__all__ = ["PREDICTION", "Votes"]

PREDICTION = "prediction"
PATIENTS_EACH = 16  # of a teacher, as the guide advises; the size of the cohort is public here
AGGREGATOR = "exponential"


class Votes(NoisePoint):
    """A student of noisy answers about the public flow's own samples, which show nobody.

    Each sample is an election between yes and no, in which a patient moves one vote at most. The
    student knows the answers alone, so it costs what they do.
    """

    point = PREDICTION
    name = "votes"
    title = "a student of teachers who vote on the public flow's own samples (PATE)"

    def learn(
        self, public: PublicModel, cohort: PatientImages,
        *, epsilon: float, delta: float, seed: int,
    ) -> LearntPoint:  # fmt: skip
        """A reader that knows noisy answers alone."""
        samples = public.samples
        head = start(public, 1, samples.shape[1])
        patients = int(cohort.patients.max()) + 1
        plan = Elections.calibrate(AGGREGATOR, len(samples), epsilon, delta)
        teachers = Teachers.teach(
            cohort,
            tuple(map(str, range(patients))),
            Keys(seed.to_bytes(KEY_BYTES, "big")),
            head=head,
            number=min(max(2, patients // PATIENTS_EACH), MOST_VOTES),
        )
        counts = counted(teachers, samples, Ballot.EACH)
        answers = plan.aggregator.winners(counts, SeededNoise(seed))
        shown = np.asarray(answers, dtype=np.bool_)[:, None]
        student = taught(head, samples, shown, strength=STRENGTH)
        return LearntPoint(LinearReader(student), plan.epsilon(delta))
