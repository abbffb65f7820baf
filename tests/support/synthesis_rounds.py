"""What a method that asks a cohort in rounds must do, as functions that say what is wrong.

They put themselves in the curator's place, so that they see each question and give the answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from latentdp.privacy.gaussian_accountant import Rounds
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.curator import Curator, Question
from latentdp.synthesis.methods.base import SynthesisMethod
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.statistics import NoisyBlock
from latentdp.synthesis.vectors import PatientImages, RecordBlock, joint_records
from tests.support.synthesis import CORNERS, FINDINGS, QUIET, Learner, patients

MECHANISM = NoisySum(grid=4096, scale=4096.0)


@dataclass
class Witness(Curator):
    """Remembers the integers of each round; answers the same, whoever is asked.

    Attributes:
        cohort: Who is asked.
        clipped: Whether records are held to their length, as the curator does it.
        totals: Sums of integers, round by round.
    """

    cohort: list[PatientImages]
    clipped: bool = True
    totals: list[np.ndarray] = field(default_factory=list)

    @property
    def deviation(self) -> float:
        return MECHANISM.deviation

    def ask(self, question: Question, size: int) -> NoisyBlock:
        total = np.zeros(size, dtype=np.int64)
        for part in self.cohort:
            vectors = question(part)
            if self.clipped:
                block = RecordBlock(size=size, bound=1.0, share=1.0)
                records = MECHANISM.quantise(joint_records([vectors], [block], part.patients))
            else:
                records = np.trunc(vectors * MECHANISM.grid).astype(np.int64)
            total += records.sum(axis=0)
        self.totals.append(total)
        answers = np.random.default_rng(len(self.totals)).uniform(0, 50, size)
        return NoisyBlock(answers, self.deviation)


Law = Callable[[type[SynthesisMethod]], str]


def _learnt(
    method: type[SynthesisMethod], cohort: list[PatientImages], *, clipped: bool = True
) -> tuple[LatentMixture, list[np.ndarray]]:
    learner, witness = Learner(method, mechanism=QUIET), Witness(cohort, clipped)
    statistics, made = learner.release([patients([1] * 200, 4)], 0)  # the same, whoever is asked
    mixture = made.learn(statistics, np.ones(FINDINGS + 1, dtype=bool), witness)
    return mixture, witness.totals


def one_patient_moves_each_round_by_what_is_stated(
    method: type[SynthesisMethod], *, clipped: bool = True
) -> str:
    rest = patients([1, 2, 4], 3)
    for images in (1, 30):
        for corner in (None, *CORNERS):
            one, instead = (patients([images], seed, corner=corner) for seed in (1, 2))
            _, totals = _learnt(method, [rest, one], clipped=clipped)
            for relation, cohort in (
                (Relation.ADD_REMOVE, [rest]),
                (Relation.REPLACE_ONE, [rest, instead]),
            ):
                _, others = _learnt(method, cohort, clipped=clipped)
                moved = max(np.linalg.norm(a - b) for a, b in zip(totals, others, strict=True))
                if moved > MECHANISM.sensitivity(relation):
                    return f"{relation}: a sum moves by {moved}"
    return ""


def the_generator_follows_the_answers_alone(method: type[SynthesisMethod]) -> str:
    one, _ = _learnt(method, [patients([1, 2, 3], 8)])
    other, _ = _learnt(method, [patients([1] * 50, 9)])
    same = all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("weights", "means", "deviations")
    )
    return "" if same else "the generator knows something else of the cohort"


def an_answer_follows_each_patient_alone(method: type[SynthesisMethod]) -> str:
    parts = [patients([2], 5), patients([1], 6), patients([7], 7)]
    names = ("latents", "thumbnails", "findings", "read")
    together = PatientImages(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names},
        patients=np.repeat([0, 1, 2], [2, 1, 7]),
    )
    _, alone = _learnt(method, parts)
    _, mates = _learnt(method, [together])
    return "" if all(map(np.array_equal, alone, mates)) else "mates change a record"


def no_more_is_asked_than_is_said(method: type[SynthesisMethod]) -> str:
    _, totals = _learnt(method, [patients([1, 2, 3], 8)])
    return "" if len(totals) <= method.steps else f"it asks {len(totals)} times"


def a_question_is_answered_with_the_stated_noise(method: type[SynthesisMethod]) -> str:
    """Variances, and that rounds share no noise, of 400 curators; alarms falsely once in 1e6."""
    cohort = [patients([1, 3], 10)]
    answers = []
    for seed in range(400):
        curator = Curator(cohort, Rounds(MECHANISM, 2), SeededNoise(seed))
        answers.append([curator.ask(_mean_pixels, 16).sums for _ in range(2)])
    noise = (np.array(answers) - np.array(answers).mean(axis=0)) / MECHANISM.deviation
    variances = (noise**2).sum(axis=0) / 399
    shared = np.abs((noise[:, 0] * noise[:, 1]).mean(axis=0)).max()
    return "" if np.abs(variances - 1).max() < 0.42 and shared < 0.28 else "other noise"


def _mean_pixels(images: PatientImages) -> np.ndarray:
    return images.thumbnails.reshape(len(images.thumbnails), -1) / 255.0


LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        one_patient_moves_each_round_by_what_is_stated,
        the_generator_follows_the_answers_alone,
        an_answer_follows_each_patient_alone,
        no_more_is_asked_than_is_said,
        a_question_is_answered_with_the_stated_noise,
    )
}
