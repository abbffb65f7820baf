"""Gaussians by random features: what they find where the truth is known, and broken ones."""

import time

import numpy as np
import pytest

from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.methods.features import RandomFeatures
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.statistics import CohortSum
from latentdp.synthesis.vectors import PatientImages
from tests.support.synthesis import (
    CORNERS,
    FINDINGS,
    SIDE,
    Learner,
    a_record_follows_one_patient_alone,
    one_patient_moves_the_sum_by_what_is_stated,
    public,
)

COARSE = 64
QUIET = NoisySum(grid=2**16, scale=1.0)
ALL = np.ones(FINDINGS + 1, dtype=bool)


def cohort(n: int, *, apart: float = 0.5, spread: float = 1.0) -> PatientImages:
    """A quarter has finding 0, with latents that are moved by so much; the others have 1."""
    rng = np.random.default_rng(0)
    ill = np.arange(n) % 4 == 0
    return PatientImages(
        latents=spread * rng.normal(size=(n, COARSE)) + apart * ill[:, None],
        thumbnails=np.zeros((n, SIDE, SIDE), dtype=np.uint8),
        findings=np.stack([ill, ~ill, np.zeros(n, bool)], axis=1),
        read=np.ones(n, dtype=bool),
        patients=np.arange(n),
    )


def fitted(images: PatientImages, mechanism: NoisySum = QUIET):
    method = RandomFeatures(PublicModel(coarse=COARSE, samples=public().samples), FINDINGS)
    adder = CohortSum(method.blocks, mechanism)
    adder.add(method.records(images))
    return method.fit(adder.release(SeededNoise(0)), ALL)


def test_features_have_a_length_of_1_whatever_the_latents():
    images = cohort(8, spread=1e4)
    method = RandomFeatures(PublicModel(coarse=COARSE, samples=public().samples), FINDINGS)
    (features,) = method.moments_of(images)
    assert np.linalg.norm(features, axis=1) == pytest.approx(np.ones(8), abs=1e-12)


def test_without_noise_the_gaussians_lie_where_the_findings_do():
    mixture = fitted(cohort(4_000))
    assert mixture.weights[:2] == pytest.approx([0.25, 0.75], abs=0.01)
    ill, well = mixture.means[:2]
    assert (ill - well).mean() > 0.25, "half as many frequencies as latents know half of it"
    assert well.mean() == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("spread", [0.7, 1.3])
def test_without_noise_the_variances_are_those_of_the_cohort(spread):
    mixture = fitted(cohort(4_000, apart=0.0, spread=spread))
    assert mixture.deviations.mean() == pytest.approx(spread, abs=0.1)


def test_a_finding_that_noise_explains_has_the_cohorts_mean():
    mixture = fitted(cohort(240), NoisySum(grid=1024, scale=1024 * 5.0))
    assert np.array_equal(mixture.means[0], mixture.means[2])


def test_a_fit_of_the_shipped_size_takes_seconds():
    method = RandomFeatures(PublicModel(coarse=1024, samples=public().samples), FINDINGS)
    rng = np.random.default_rng(0)
    images = PatientImages(**(vars(cohort(64)) | {"latents": rng.normal(size=(64, 1024)) + 0.3}))
    adder = CohortSum(method.blocks, QUIET)
    for _ in range(10):
        adder.add(method.records(images))
    began = time.process_time()
    method.fit(adder.release(SeededNoise(0)), ALL)
    assert time.process_time() - began < 20


class Unscaled(RandomFeatures):
    """Forgets the root of the number of frequencies."""

    def records(self, images):
        return np.concatenate(self.moments_of(images), axis=1)[:1] * len(self._frequencies) ** 0.5


class OfTheBatch(RandomFeatures):
    """Features less the mean of the batch."""

    def moments_of(self, images):
        (features,) = super().moments_of(images)
        return (features - features.mean(axis=0),)


def test_broken_features_are_caught():
    learner = Learner(Unscaled, mechanism=_Unbounded(grid=4096, scale=9000.0))
    law = one_patient_moves_the_sum_by_what_is_stated
    assert any(law(learner, 1, [1, 2], 3, corner) for corner in CORNERS)
    assert a_record_follows_one_patient_alone(Learner(OfTheBatch)) != ""


class _Unbounded(NoisySum):
    """Does not hold records to the stated length."""

    def quantise(self, records):
        return np.trunc(np.nan_to_num(records) * self.grid).astype(np.int64)
