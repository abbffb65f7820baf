"""Lower bounds of mu from guesses: below the truth but for the stated chance, and near it."""

import numpy as np
import pytest
from scipy.stats import norm

from latentdp.errors import InputError
from latentdp.privacy.audit.gaussian_one_run import guessed_mu, guessed_mu_by_run

MU = 1.0
RUNS, CANARIES = 40, 50


@pytest.mark.statistical
def test_a_bound_is_above_the_truth_as_rarely_as_it_says():
    """At an alarm rate of 0.05, 400 experiments: more than 40 too high ones come once in 1e5."""
    rng = np.random.default_rng(0)
    right = rng.binomial(CANARIES, norm.cdf(MU / 2), (400, RUNS))
    counted = [guessed_mu(int(one.sum()), RUNS * CANARIES, 0.05) for one in right]
    by_run = [guessed_mu_by_run(one / CANARIES, 0.05) for one in right]
    assert sum(mu > MU for mu in counted) <= 40
    assert sum(mu > MU for mu in by_run) <= 40
    assert np.median(counted) > 0.85 * MU
    assert np.median(by_run) > 0.5 * MU


def test_a_run_whose_errors_come_together_fools_the_count_and_not_the_bound_by_runs():
    """Half of the runs are right throughout, the others as good as guesses: mu is 1.35."""
    rng = np.random.default_rng(1)
    shares = [[1.0, 0.5][i] for i in rng.integers(0, 2, RUNS)]
    truth = 2 * norm.ppf(0.75)
    assert guessed_mu_by_run(shares, 0.05) < truth


def test_nothing_right_certifies_nothing_and_all_right_certifies_much():
    assert guessed_mu(0, 100, 0.05) == 0
    assert guessed_mu(50, 100, 0.05) == 0
    assert guessed_mu_by_run([0.0, 1.0], 0.05) == 0
    assert guessed_mu(1_000, 1_000, 0.05) > 5
    with pytest.raises(InputError, match="right guesses"):
        guessed_mu(3, 2, 0.05)
