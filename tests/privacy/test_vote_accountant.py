"""Many elections: what they cost together, of a patient and of a site."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdp.core import plugins
from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import epsilon_of
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.vote_accountant import Elections, epsilon_of_rho, told_by_votes

DELTA = 1e-5
NAMES = plugins.names("aggregators")


@given(st.floats(1e-6, 50), st.floats(1e-9, 0.1))
@settings(max_examples=30, deadline=None)
def test_rho_is_never_cheaper_than_the_gaussian_that_has_it(rho, delta):
    """A Gaussian with mu^2 / 2 = rho is rho-zCDP, so its exact curve is a lower bound."""
    epsilon = epsilon_of_rho(rho, delta)
    assert epsilon >= epsilon_of(math.sqrt(2 * rho), delta) * (1 - 1e-9)
    assert epsilon <= rho + 2 * math.sqrt(rho * math.log(1 / delta)) + 1e-6, "the loose formula"


def test_the_best_order_is_inside_of_the_orders():
    for rho in (1e-6, 0.1, 10.0):
        finer = 1 + np.logspace(-4, 5, 200_000)
        best = (
            finer * rho + np.log1p(-1 / finer) - (math.log(DELTA) + np.log(finer)) / (finer - 1)
        ).min()
        assert epsilon_of_rho(rho, DELTA) == pytest.approx(max(best, 0), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("number", "epsilon"), [(1, 0.5), (1, 8.0), (100, 1.0), (50_000, 1.0)])
def test_the_least_noise_that_fits(name, number, epsilon):
    elections = Elections.calibrate(name, number, epsilon, DELTA)
    told = elections.guarantee(DELTA, Relation.REPLACE_ONE)
    assert 0.9 * epsilon < told.epsilon <= epsilon
    assert told == elections.guarantee(DELTA, Relation.REPLACE_ONE)
    assert told.epsilon == elections.guarantee(DELTA, Relation.ADD_REMOVE).epsilon


def test_one_question_costs_its_own_epsilon():
    elections = Elections.calibrate("exponential", 1, 1.0, DELTA)
    assert elections.epsilon(DELTA) == pytest.approx(elections.aggregator.epsilon)


def test_the_bounded_range_answers_many_questions_with_least_noise():
    leads = {
        name: Elections.calibrate(name, 400, 2.0, DELTA).aggregator.sure_lead() for name in NAMES
    }
    assert leads["exponential"] < min(leads["laplace"], leads["permute_and_flip"])


def test_several_findings_are_several_elections():
    one = Elections.calibrate("exponential", 100, 2.0, DELTA)
    three = Elections.calibrate("exponential", 300, 2.0, DELTA)
    assert three.aggregator.epsilon == pytest.approx(
        one.aggregator.epsilon / math.sqrt(3), rel=0.01
    )


def test_a_site_pays_for_all_of_its_voters():
    elections = Elections.calibrate("exponential", 100, 2.0, DELTA)
    rho = elections.number * elections.aggregator.rho
    assert elections.epsilon(DELTA, 20) == pytest.approx(
        min(epsilon_of_rho(400 * rho, DELTA), 20 * 100 * elections.aggregator.epsilon)
    )
    assert elections.epsilon(DELTA, 20) > 20 * elections.epsilon(DELTA)


@pytest.mark.parametrize("name", ["exponential", "permute_and_flip"])
def test_what_very_votes_tell_is_no_more_than_the_worst_votes(name):
    elections = Elections.calibrate(name, 50, 2.0, DELTA)
    clear, close = np.tile([190, 10, 0], (50, 1)), np.tile([100, 99, 1], (50, 1))
    told = [told_by_votes(elections.aggregator, c, DELTA) for c in (clear, close)]
    assert told[0] < told[1] <= elections.epsilon(DELTA) * 1.01


def test_where_chances_are_not_known_nothing_is_told():
    laplace = Elections.calibrate("laplace", 5, 2.0, DELTA).aggregator
    assert told_by_votes(laplace, np.array([[3, 2]]), DELTA) is None


@pytest.mark.parametrize(
    ("name", "number", "epsilon", "delta", "message"),
    [
        ("magic", 1, 1.0, DELTA, "no aggregator"),
        ("exponential", 0, 1.0, DELTA, "expected 1 to"),
        ("exponential", 1, math.nan, DELTA, "expected epsilon"),
        ("exponential", 1, 0.0, DELTA, "expected epsilon"),
        ("exponential", 1, 1.0, 0.0, "expected delta"),
        ("laplace", 10_000_000, 0.001, DELTA, "too small"),
    ],
)
def test_what_is_no_budget_is_refused(name, number, epsilon, delta, message):
    with pytest.raises(InputError, match=message):
        Elections.calibrate(name, number, epsilon, delta)
