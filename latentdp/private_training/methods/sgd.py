r"""A small network by noisy gradients of patients who are drawn by coins (DP-SGD).

In each step every patient takes part with a probability q, by a coin of their own; the gradients
of those who do are clipped, one for each patient, added up and released with noise. It pays where
a linear reader is not enough and patients are many, from about ten thousand on.

Sensitivity. First the number of patients is released: each adds 1. Then, at weights of the step,
which follow noise and public values alone, the record of a patient who takes part is v = clip(g,
C) / C, g the mean over their images of the gradient of the loss: |v| <= 1, however many images
there are. Coins are drawn anew for each step and patient, with fresh bits, and nothing is divided
by the size of a batch: the sum is divided by q times the noisy number of patients. The loss
distribution of all steps is that of Poisson-sampled Gaussian sums whose record another patient
replaces (`latentdp.privacy.sampled_gaussian_accountant`): they move by at most 2, not 1. A coin
is a 64-bit word below floor(q 2^64), so the probability is at most q, and less sampling costs
less.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import mu_of
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noise import WORD, Noise, SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.privacy.root import root
from latentdp.privacy.samplers.uniform import normal
from latentdp.private_training.accounting import noise_of, patient_guarantee, released
from latentdp.private_training.methods._counted import SHARE, NoisyCount
from latentdp.private_training.methods.base import Taught, TrainingMethod
from latentdp.private_training.readers import NetworkReader, sides_of
from latentdp.reports.training_card import SampledRelease, TrainingRecipe, TrainingRelease
from latentdp.reports.training_words import COUNT
from latentdp.synthesis.descent import Descent
from latentdp.synthesis.head import Head, HeadData, start
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.vectors import PatientImages, RecordBlock, joint_records

__all__ = ["SampledGradients", "coins", "method"]

Matrix = NDArray[np.float64]

# Fixed beforehand, on no cohort.
STEPS, PROBABILITY = 100, 0.2
HIDDEN = (16, 8, 4)  # units; the most that the rule allows
CLIP, STEP = 1.0, 1.0
QUIETEST, LOUDEST = 0.5, 1.6e4  # deviations of a step
WIDTH = 1.0  # deviation of the first odds of a hidden unit
GRADIENTS = "sum of the clipped gradients of patients drawn by coins"


class SampledGradients(TrainingMethod):
    """Poisson sampling, gradients of whole patients, loss distributions."""

    name: ClassVar[str] = "sgd"
    title: ClassVar[str] = "a small network, by noisy gradients of patients drawn by coins"
    source: ClassVar[str] = "Abadi et al. 2016; accounting of Koskela et al. 2020"

    def __init__(
        self, public: PublicModel, recipe: TrainingRecipe, releases: Sequence[TrainingRelease]
    ) -> None:
        super().__init__(public, recipe, releases)
        self._data = HeadData()

    @classmethod
    def plan(cls, recipe: TrainingRecipe) -> tuple[TrainingRelease, ...]:
        """The number of patients, and then all steps."""
        mu = math.sqrt(SHARE) * mu_of(recipe.epsilon, recipe.delta) / 2
        count = released(COUNT, NoisySum.calibrate(mu), 1)

        def made(deviation: float) -> tuple[TrainingRelease, ...]:
            noise = NoisySum.calibrate(1 / deviation)
            steps = SampledRelease(
                what=GRADIENTS,
                rounds=STEPS,
                grid=noise.grid,
                scale=noise.scale,
                probability=PROBABILITY,
            )
            return (count, steps)

        def spent(deviation: float) -> float:
            whole = patient_guarantee(made(deviation), recipe.delta, Relation.REPLACE_ONE)
            return whole.epsilon

        if spent(QUIETEST) <= recipe.epsilon:
            return made(QUIETEST)
        if spent(LOUDEST) > recipe.epsilon:
            raise InputError("the budget is too small for so many steps; give a larger epsilon")
        low, high = math.log(QUIETEST), math.log(LOUDEST)
        log = root(lambda t: spent(math.exp(t)) - recipe.epsilon, low, high, relative=1e-4)
        deviation = math.exp(log)
        while spent(deviation) > recipe.epsilon:
            deviation *= 1 + 1e-4
        return made(deviation)

    def add(self, images: PatientImages) -> None:
        """Keeps thumbnails and findings."""
        self._data.add(images)

    def learn(self, noise: Noise) -> Taught:
        """All steps, from random public weights."""
        count = NoisyCount(self._data, self.releases[0], noise)
        hidden = self._hidden(count.patients)
        units = normal(SeededNoise(3), (hidden, self._features.weights.shape[1]))
        first = Descent(
            np.concatenate([WIDTH * units.ravel(), np.zeros(self.findings * (hidden + 1))]),
            rounds=STEPS,
            step=STEP,
        )
        mechanism = noise_of(self.releases[1])
        for _ in range(STEPS):
            total = np.zeros(first.weights.size, dtype=np.int64)
            for records in self.records(first.weights, hidden, noise):
                total += mechanism.quantise(records).sum(axis=0)
            gradient = mechanism.release(total, noise)
            first.follow(CLIP / (PROBABILITY * count.patients) * gradient)
        split = units.size
        return Taught(
            NetworkReader(
                self._features.with_weights(first.averaged[:split].reshape(units.shape)),
                first.averaged[split:].reshape(self.findings, hidden + 1),
            ),
            count.faint,
        )

    def records(self, weights: NDArray[np.float64], hidden: int, noise: Noise) -> Iterator[Matrix]:
        """Records ``(taking part, parameters)`` of the patients whose coins say so."""
        from latentdp.models.networks.image_gradients import ImageGradients

        gradients = ImageGradients(hidden, self.findings)
        block = RecordBlock(size=len(weights), bound=CLIP, share=1.0)
        for part in self._data.parts:
            heads = coins(noise, int(part.patients.max(initial=-1)) + 1)
            rows = heads[part.patients]
            if not rows.any():
                continue
            images = self._features.features(part.thumbnails[rows])
            each = gradients.each(weights, images, part.findings[rows], part.read[rows])
            patients = np.unique(part.patients[rows], return_inverse=True)[1]
            yield joint_records([each], [block], patients)

    @property
    def _features(self) -> Head:
        sides = sides_of(self.public)
        return start(self.public, 1, sides[min(1, len(sides) - 1)])

    def _hidden(self, patients: float) -> int:
        most = self.most_parameters(patients)
        return next((h for h in HIDDEN if self._numbers(h) <= most), HIDDEN[-1])

    def _numbers(self, hidden: int) -> int:
        k = len(self._features.centre) + 1
        return hidden * k + self.findings * (hidden + 1)

    def parameters(self, side: int) -> int:
        """Of the smallest network; the size of images is one."""
        return self._numbers(HIDDEN[-1])

    def most_parameters(self, patients: float) -> float:
        """By the patients in a step, and the deviation of a step."""
        return (PROBABILITY * patients / noise_of(self.releases[1]).deviation) ** 2


def coins(noise: Noise, n: int) -> NDArray[np.bool_]:
    """Who of ``n`` patients takes part in a step, ``(n,)``; a word each."""
    return np.asarray(noise.words(n) < np.uint64(math.floor(PROBABILITY * 2.0**WORD)))


method = SampledGradients
