"""Sums over patients drawn by coins: held to the exact curve, and to the relation."""

import numpy as np
import pytest
from scipy import integrate, stats

from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import epsilon_of
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.sampled_gaussian_accountant import SampledRounds, sampled_guarantee


def spent(relation, *rounds, delta=1e-5):
    return sampled_guarantee(rounds, delta, relation).epsilon


@pytest.mark.parametrize("deviation", [1.0, 4.0])
def test_without_sampling_it_is_the_exact_curve_under_either_relation(deviation):
    one = SampledRounds(1.0, deviation, 1)
    exact = epsilon_of(1 / deviation, 1e-5)
    assert exact <= spent(Relation.ADD_REMOVE, one) + 1e-9 <= exact + 2e-3
    twice = epsilon_of(2 / deviation, 1e-5)
    assert twice - 1e-6 <= spent(Relation.REPLACE_ONE, one) <= twice + 2e-3


@pytest.mark.parametrize("deviation", [2.0, 6.0])
def test_another_patient_in_the_place_of_one_moves_the_sum_by_two(deviation):
    """The accountant of Renyi orders in dp-accounting 0.6 fails this by a factor of 2."""
    rounds = SampledRounds(1.0, deviation, 10)
    half = SampledRounds(1.0, deviation / 2, 10)
    assert spent(Relation.REPLACE_ONE, rounds) == pytest.approx(
        spent(Relation.ADD_REMOVE, half), rel=1e-3
    )


def test_one_round_is_at_least_what_the_two_mixtures_are_apart():
    """Directly from the densities; numbers may only be rounded up."""
    q, s, delta = 0.2, 1.5, 1e-5

    def mixture(x, mean):
        return (1 - q) * stats.norm.pdf(x, 0, s) + q * stats.norm.pdf(x, mean, s)

    def apart(epsilon):
        def positive(x):
            return max(0.0, mixture(x, 1.0) - np.exp(epsilon) * mixture(x, -1.0))

        return integrate.quad(positive, -15, 15, limit=500, epsabs=1e-13)[0]

    epsilon = spent(Relation.REPLACE_ONE, SampledRounds(q, s, 1))
    assert apart(epsilon) <= delta
    assert apart(epsilon - 5e-3) > delta


def test_sampling_and_rounds():
    plain, sampled = SampledRounds(1.0, 3.0, 20), SampledRounds(0.2, 3.0, 20)
    for relation in Relation:
        assert spent(relation, sampled) < spent(relation, plain) / 2
        assert spent(relation, sampled, SampledRounds(1.0, 30.0, 1)) > spent(relation, sampled)


@pytest.mark.parametrize(
    "values", [(0.0, 1.0, 1), (1.1, 1.0, 1), (0.5, 0.0, 1), (0.5, np.inf, 1), (0.5, 1.0, 0)]
)
def test_what_is_no_release_is_refused(values):
    with pytest.raises(InputError):
        SampledRounds(*values)


def test_a_delta_that_is_none_is_refused():
    with pytest.raises(InputError, match="delta"):
        sampled_guarantee([SampledRounds(1.0, 1.0, 1)], 0.0, Relation.ADD_REMOVE)
