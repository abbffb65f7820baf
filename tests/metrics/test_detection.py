"""Members told from others, and clouds told from clouds, where the truth is known."""

import numpy as np
import pytest
from scipy.stats import norm

from latentdp.metrics.manifold import within
from latentdp.metrics.membership import auc_ceiling, detected, detection_ceiling

MU = 1.0


@pytest.mark.statistical
def test_the_best_attack_on_a_gaussian_release_reaches_its_ceiling():
    """Scores are normal, a member's by mu larger: the very trade-off that a ceiling is of."""
    rng = np.random.default_rng(0)
    member = rng.random((200, 500)) < 0.5
    found = detected(rng.normal(size=member.shape) + MU * member, member, (0.01, 0.001), 0)
    for rate, share in found.caught.items():
        ceiling = detection_ceiling(rate, MU)
        assert ceiling == pytest.approx(norm.cdf(norm.ppf(rate) + MU))
        assert share.low < ceiling < share.high
    assert found.auc.low - 1e-3 < auc_ceiling(MU) < found.auc.high + 1e-3


def test_a_rate_of_false_alarms_that_so_few_cannot_have_is_not_measured():
    rng = np.random.default_rng(0)
    member = rng.random((10, 200)) < 0.5
    found = detected(rng.normal(size=member.shape), member, (0.1, 0.01, 0.001), 0)
    assert found.caught[0.1] is not None
    assert found.caught[0.001] is None


def test_a_few_releases_that_agree_are_no_proof():
    """Two that catch everybody by luck, resampled, would be an interval without any width."""
    member = np.tile([True, False], (2, 3))
    found = detected(member.astype(float), member, (0.1,), 0).auc
    assert (found.value, found.low, found.high) == (1.0, 0.0, 1.0)


def test_equal_scores_catch_nobody_without_catching_everybody():
    member = np.tile([True, False], (20, 100))
    found = detected(np.zeros(member.shape), member, (0.1,), 0)
    assert found.caught[0.1].value == 0
    assert found.auc.value == 0.5


def test_half_of_a_cloud_lies_within_it_and_another_cloud_does_not():
    rng = np.random.default_rng(0)
    cloud, same, other = rng.normal(size=(3, 200, 4))
    far = other + 9
    assert within(same, cloud).mean() > 0.8
    assert not within(far, cloud).any()
