"""One contract for all methods of synthesis; and that it sees what is wrong with broken ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdp.core import plugins
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.head import Head, gradient_records
from latentdp.synthesis.methods.gaussian import FindingGaussians
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.statistics import CohortSum, NoisyStatistics
from latentdp.synthesis.vectors import check_shares
from tests.support.synthesis import (
    CORNERS,
    FINDINGS,
    LAWS,
    SIDE,
    Learner,
    one_patient_moves_the_sum_by_what_is_stated,
    patients,
    public,
)

METHODS = [plugins.load("synthesis methods", n).method for n in plugins.names("synthesis methods")]
EACH = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)


@EACH
@settings(max_examples=60)
@given(
    images=st.integers(1, 30),
    others=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    seed=st.integers(0, 2**20),
    corner=st.sampled_from((None, *CORNERS)),
)
def test_neighbouring_cohorts_at_the_corners(method, images, others, seed, corner):
    law = one_patient_moves_the_sum_by_what_is_stated
    assert law(Learner(method), images, others, seed, corner) == ""


@EACH
@pytest.mark.parametrize("law", LAWS)
def test_law(method, law):
    assert LAWS[law](Learner(method)) == ""


@EACH
def test_blocks_share_a_length_of_1_and_all_says_where_it_comes_from(method):
    made = method(public(), FINDINGS)
    check_shares(made.blocks)
    assert made.blocks[0].size == FINDINGS + 1
    assert made.blocks[0].bound == 1
    assert method.name
    assert method.title
    assert method.source
    assert "Sensitivity." in __import__(method.__module__, fromlist=["x"]).__doc__


@settings(max_examples=60)
@given(st.integers(1, 30), st.integers(0, 2**20), st.floats(-1e6, 1e6))
def test_a_gradient_of_the_head_is_never_longer_than_stated(images, seed, size):
    rng = np.random.default_rng(seed)
    head = Head(
        weights=size * rng.normal(size=(FINDINGS, SIDE**2 + 1)),
        centre=rng.uniform(0, 255, SIDE**2),
        scale=rng.uniform(0.01, 50, SIDE**2),
    )
    one, other = patients([images], seed), patients([images], seed + 1)
    mechanism = NoisySum(grid=512, scale=2_000.0)
    cells = [
        mechanism.quantise(gradient_records(head, x, np.ones(FINDINGS, bool)))
        for x in (one, other)
    ]
    assert len(cells[0]) == 1
    assert np.linalg.norm(cells[0]) <= mechanism.sensitivity(Relation.ADD_REMOVE)
    assert np.linalg.norm(cells[0] - cells[1]) <= mechanism.sensitivity(Relation.REPLACE_ONE)


# --- Broken ones, each of which a law must catch ------------------------------------------------


class PerImage(FindingGaussians):
    """Clips each image instead of each patient: a patient with many images weighs more."""

    def records(self, images):
        alone = type(images)(
            **(vars(images) | {"patients": np.arange(len(images.patients))}),
        )
        per_image = super().records(alone)
        return np.array([per_image[images.patients == p].sum(axis=0) for p in
                         np.unique(images.patients)])  # fmt: skip


class Unbounded(NoisySum):
    """Does not hold records to the stated length."""

    def quantise(self, records):
        return np.trunc(np.nan_to_num(records) * self.grid).astype(np.int64)


class Forgetful(FindingGaussians):
    """Forgets the clip of a block."""

    def records(self, images):
        parts = zip(self.moments_of(images), self.moments, strict=True)
        return np.concatenate([v * (b.share / b.bound) for v, b in parts], axis=1)[:1]


class LeaksSize(FindingGaussians):
    """Divides by the true number of patients."""

    patients = 0

    def records(self, images):
        self.patients += len(np.unique(images.patients))
        return super().records(images)

    def fit(self, statistics, known):
        fitted = super().fit(statistics, known)
        return LatentMixture(
            weights=fitted.weights,
            means=fitted.means / self.patients,
            deviations=fitted.deviations,
        )


class LeaksMates(FindingGaussians):
    """Standardises by the batch."""

    def records(self, images):
        return super().records(images) / max(1.0, float(len(images.patients)))


class TellsAll(FindingGaussians):
    """Uses the sums of findings that may not be told."""

    def fit(self, statistics, known):
        return super().fit(statistics, np.ones_like(known))


class ExactCounts(CohortSum):
    """Forgets the noise of the counts."""

    def release(self, noise):
        noisy = super().release(noise)
        counts = noisy.counts.sums
        rows = slice(0, len(counts))
        counts[:] = self._total[rows] / self._mechanism.grid / self._blocks[0].share
        return noisy


class SharedNoise(CohortSum):
    """Draws the noise of one finding, and uses it for all."""

    def release(self, noise):
        noisy = super().release(noise)
        block, size = noisy.blocks[2], self._blocks[2]
        first = self._blocks[0].size + self._blocks[1].size
        exact = self._total[first : first + size.size] / self._mechanism.grid * (
            size.bound / size.share
        )  # fmt: skip
        drawn = (block.sums - exact).reshape(FINDINGS + 1, -1)
        block.sums[:] = exact + np.tile(drawn[0], FINDINGS + 1)
        return NoisyStatistics(noisy.blocks)


BROKEN = {
    "a_record_follows_one_patient_alone": Learner(LeaksMates),
    "the_fit_follows_the_noisy_sums_alone": Learner(LeaksSize),
    "unknown_findings_are_not_touched": Learner(TellsAll),
    "every_entry_has_the_stated_noise": Learner(FindingGaussians, ExactCounts),
    "noise_is_fresh_for_every_entry": Learner(FindingGaussians, SharedNoise),
}


@pytest.mark.parametrize("law", BROKEN)
def test_a_law_catches_what_breaks_it(law):
    assert LAWS[law](BROKEN[law]) != ""


@pytest.mark.parametrize("method", [PerImage, Forgetful])
def test_a_missing_clip_is_caught(method):
    learner = Learner(method, mechanism=Unbounded(grid=4096, scale=9000.0))
    law = one_patient_moves_the_sum_by_what_is_stated
    assert any(law(learner, images, [1, 2], 3, corner) for images in (1, 30) for corner in CORNERS)


def test_and_the_sum_holds_it_to_its_length_all_the_same():
    """Two walls: a method that clips wrongly still moves the sum by no more than is stated."""
    law = one_patient_moves_the_sum_by_what_is_stated
    assert not any(law(Learner(PerImage), 30, [1, 2], 3, corner) for corner in CORNERS)
