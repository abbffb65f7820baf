"""Copies among synthetic images are found, and honest draws are as near to others."""

import numpy as np
import pytest

from latentdp.synthesis.evaluation.copying import Galleries, copies
from latentdp.synthesis.evaluation.fidelity import fidelity


def numbers(synthetic, cohort, others):
    found, measures = copies(
        Galleries(ruler="x", synthetic=synthetic, cohort=cohort, others=others, verifies=True),
        seed=0,
    )
    return {o.metric.name: o for o in found}, measures


@pytest.mark.statistical
def test_draws_are_as_near_to_others_and_copies_are_not():
    rng = np.random.default_rng(0)
    cohort, others, synthetic = rng.normal(size=(3, 100, 16))
    honest, measures = numbers(synthetic, cohort, others)
    assert honest["nearer"].low < 0.5 < honest["nearer"].high
    assert honest["more named"].low < 0 < honest["more named"].high
    assert len(measures) == 4
    synthetic[:30] = cohort[:30] + 0.01
    copied, measures = numbers(synthetic, cohort, others)
    assert copied["nearer"].low > 0.5
    assert copied["more named"].value == pytest.approx(0.3, abs=0.05)
    assert copied["more named"].low > 0.1


@pytest.mark.statistical
def test_intervals_hold_a_half_as_often_as_they_say_where_few_originals_are_near_to_all():
    """60 experiments at 95 %: more than 10 misses come once in 2,000."""
    rng = np.random.default_rng(1)
    missed = 0
    for _ in range(60):
        cohort, others = rng.normal(size=(2, 25, 8))
        synthetic = rng.normal(size=(60, 8)) * 0.2 + 3.0  # all of them near to one corner
        nearer = copies(
            Galleries(ruler="x", synthetic=synthetic, cohort=cohort, others=others), seed=0
        )[0][0]
        missed += not nearer.low <= 0.5 <= nearer.high
    assert missed <= 10


def test_a_set_that_repeats_one_image_lies_within_the_cohort_and_does_not_cover_it():
    rng = np.random.default_rng(0)
    cohort, others = rng.normal(size=(2, 100, 16))
    found = {
        (m.setting, m.metric.name): m.value
        for m in fidelity(cohort, {"one": np.tile(cohort.mean(axis=0), (100, 1)), "o": others}, 0)
    }
    assert found["one beside the cohort", "precision"] == 1
    assert found["one beside the cohort", "recall"] < 0.2
    assert found["o beside the cohort", "recall"] > 0.4
    assert found["o beside the cohort", "frechet"] < found["one beside the cohort", "frechet"]
