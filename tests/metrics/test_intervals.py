"""Every interval holds its own number, whatever was measured and on however few patients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdp.evaluation.utility.similarity import distance_of
from latentdp.metrics.bootstrap import Estimate, Resamples, auc, estimate, mean, share
from latentdp.metrics.identification import own_image, same_patient
from latentdp.metrics.linkage import matched, widened
from latentdp.metrics.pairs import Pairs
from latentdp.metrics.verification import verify

RESAMPLES = 12  # few, so that percentiles lie far from the number


@st.composite
def cohorts(draw) -> tuple[np.ndarray, np.random.Generator]:
    """Patients of 2 to 8 people, the first of whom has two images, and what draws scores."""
    counts = draw(st.lists(st.integers(1, 4), min_size=2, max_size=8))
    counts[0] = max(2, counts[0])
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return np.repeat(np.arange(len(counts)), counts), rng


def holds(found: Estimate | None) -> None:
    if found is not None:
        assert found.low <= found.value <= found.high


@settings(deadline=None, max_examples=40)
@given(cohorts(), st.integers(0, 3))
def test_of_every_metric(cohort, digits):
    patients, rng = cohort
    n, count = len(patients), int(patients.max()) + 1
    resamples = Resamples(patients, RESAMPLES, seed=3)
    weights = resamples.of(np.arange(n))

    def scores(*shape: int) -> np.ndarray:
        return np.round(rng.normal(size=shape), digits)  # with ties, where digits are few

    several = np.stack([auc(scores(n), rng.random(n) < 0.5, weights) for _ in range(3)])
    for values in (several.max(axis=0), several.mean(axis=0), several[0] - several[1]):
        holds(estimate(values))
    named = mean((rng.random(n) < 0.3).astype(float), weights)
    holds(estimate(named))
    holds(share(named, count))
    holds(widened(estimate(named), count))
    pairs = Pairs.of(patients, cap=4)
    found = verify(scores(3, len(pairs)), pairs, resamples)
    for one in (found.mean, found.best, found.eer):
        holds(one)
    roc = found.roc
    for low, rate, high in zip(roc.low, roc.tpr, roc.high, strict=True):
        assert low <= rate <= high or np.isnan([low, high]).any()
    square = scores(n, n)
    match = matched(square, np.arange(n), patients, resamples=RESAMPLES, seed=3)
    holds(match.first)
    holds(match.area)
    for hits in (own_image(square), same_patient(square, patients)):
        cmc = hits.cmc(resamples)
        for low, rate, high in zip(cmc.low, cmc.rate, cmc.high, strict=True):
            assert rate is None or low <= rate <= high
    holds(distance_of(rng.normal(size=(n, 2)), rng.normal(size=(n, 2)), weights))


def test_percentiles_that_leave_the_number_out_reach_up_to_it():
    """The largest of ten guesses is larger again in resamples."""
    assert estimate(np.array([0.5, 0.6, 0.7, 0.8])).low == 0.5
    assert estimate(np.array([0.9, 0.6, 0.7, 0.8])).high == 0.9


def test_no_other_interval_can_be_made():
    with pytest.raises(ValueError, match=r"holds 0\.5"):
        Estimate(0.5, 0.6, 0.7)
