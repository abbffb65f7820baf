"""Accuracy and Matthews' correlation, against scikit-learn with the same weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, matthews_corrcoef

from latentdp.metrics.decisions import accuracy, matthews


@settings(max_examples=30)
@given(st.integers(0, 2**20), st.integers(5, 40))
def test_they_agree_with_scikit_learn(seed, n):
    rng = np.random.default_rng(seed)
    truth = np.append(rng.random(n) < 0.4, [True, False])
    decided = np.append(rng.random(n) < 0.5, [True, False])
    weights = rng.integers(0, 4, (3, n + 2)).astype(float) + np.eye(3, n + 2)
    weights[:, -2:] = 1
    for row, right, correlation in zip(
        weights, accuracy(decided, truth, weights), matthews(decided, truth, weights), strict=True
    ):
        assert right == pytest.approx(accuracy_score(truth, decided, sample_weight=row))
        assert correlation == pytest.approx(
            matthews_corrcoef(truth, decided, sample_weight=row), abs=1e-9
        )


def test_one_answer_to_all_says_nothing_and_one_truth_is_no_question():
    truth, weights = np.array([True, False, True]), np.ones((1, 3))
    assert matthews(np.ones(3, dtype=bool), truth, weights)[0] == 0
    assert np.isnan(matthews(truth, np.ones(3, dtype=bool), weights)[0])
