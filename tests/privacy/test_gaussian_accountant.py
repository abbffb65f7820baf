"""What noisy sums of a cohort cost a patient, against the reference table and dp-accounting."""

import math

import numpy as np
import pytest
from dp_accounting import GaussianDpEvent, NeighboringRelation, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from hypothesis import given
from hypothesis import strategies as st

from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import (
    GaussianAccountant,
    Rounds,
    default_delta,
    mu_of,
)
from latentdp.privacy.guarantee import Relation, Unit
from latentdp.privacy.noisy_sum import NoisySum

ADD, REPLACE = Relation.ADD_REMOVE, Relation.REPLACE_ONE
THEIRS = {
    ADD: NeighboringRelation.ADD_OR_REMOVE_ONE,
    REPLACE: NeighboringRelation.REPLACE_ONE,
}

# Standard deviation of one release under add-remove, calibrated independently (Balle and Wang).
TABLE = {
    (500, 1.0): 2.55,
    (500, 2.0): 1.44,
    (500, 8.0): 0.48,
    (2_000, 1.0): 2.97,
    (2_000, 2.0): 1.63,
    (2_000, 8.0): 0.52,
    (10_000, 1.0): 3.41,
    (10_000, 2.0): 1.84,
    (10_000, 8.0): 0.57,
}


def accountant(sigma, times=1):
    return GaussianAccountant((Rounds(NoisySum(grid=1024, scale=1024 * sigma), times),))


@pytest.mark.parametrize(("n", "epsilon"), TABLE)
def test_calibration_gives_the_table_of_the_reference(n, epsilon):
    sigma = 1 / mu_of(epsilon, n**-1.1)
    assert sigma == pytest.approx(TABLE[n, epsilon], abs=0.0051)


@pytest.mark.parametrize(("epsilon", "sigma"), [(1.0, 4.22), (2.0, 2.23), (8.0, 0.65)])
def test_calibration_at_a_smaller_delta(epsilon, sigma):
    assert 1 / mu_of(epsilon, 1e-6) == pytest.approx(sigma, abs=0.0051)


@pytest.mark.parametrize("times", [5, 10, 100])
def test_many_releases_take_the_root_of_their_number(times):
    sigma = math.sqrt(times) / mu_of(2.0, 2_000**-1.1)
    assert accountant(sigma, times).guarantee(2_000**-1.1, ADD).epsilon == pytest.approx(
        2, rel=1e-6
    )


@pytest.mark.parametrize("sigma", [0.7, 1.0, 3.0])
def test_replacing_costs_what_half_the_noise_costs_under_add_remove(sigma):
    replaced = accountant(sigma).guarantee(1e-5, REPLACE).epsilon
    assert replaced == pytest.approx(accountant(sigma / 2).guarantee(1e-5, ADD).epsilon, rel=1e-9)
    assert replaced > 2 * accountant(sigma).guarantee(1e-5, ADD).epsilon


@pytest.mark.parametrize("relation", [ADD, REPLACE])
@pytest.mark.parametrize(("sigma", "times"), [(1.0, 1), (8.0, 30)])
def test_never_below_the_accountant_of_others_and_equal_to_its_digits(relation, sigma, times):
    theirs = PLDAccountant(THEIRS[relation], value_discretization_interval=1e-3)
    theirs.compose(SelfComposedDpEvent(GaussianDpEvent(sigma), times))
    ours = accountant(sigma, times).guarantee(1e-5, relation).epsilon
    assert ours == pytest.approx(theirs.get_epsilon(1e-5), rel=2e-3)


def test_the_known_figures_of_both_relations():
    assert accountant(1.0).guarantee(1e-5, ADD).epsilon == pytest.approx(4.377, abs=1e-3)
    assert accountant(1.0).guarantee(1e-5, REPLACE).epsilon == pytest.approx(9.997, abs=1e-3)


def test_a_guarantee_says_whose_it_is():
    guarantee = accountant(2.0).guarantee(1e-5, REPLACE)
    assert (guarantee.unit, guarantee.relation) == (Unit.PATIENT, REPLACE)
    assert guarantee.exact
    assert guarantee.secure


@given(st.floats(0.01, 100), st.floats(1e-12, 0.1))
def test_a_calibrated_release_never_costs_more_than_asked(epsilon, delta):
    mu = mu_of(epsilon, delta)
    both = GaussianAccountant(
        (
            Rounds(NoisySum.calibrate(mu / 2 / math.sqrt(2)), 1),
            Rounds(NoisySum.calibrate(mu / 2 / math.sqrt(2 * 60)), 60),
        )
    )
    spent = both.guarantee(delta, REPLACE).epsilon
    assert spent <= epsilon * (1 + 1e-6) + 2e-9
    assert spent >= 0.999 * epsilon - 1e-6
    assert both.guarantee(delta, ADD).epsilon <= spent


@given(st.integers(1, 10**9))
def test_delta_is_small_and_tells_the_order_of_magnitude_only(n):
    delta = default_delta(n)
    assert delta <= min(1e-5, n**-1.1)
    assert delta == default_delta(10 ** len(str(n - 1)) if n > 1 else 1)


def test_delta_of_all_usual_cohorts_is_one_number():
    assert {default_delta(n) for n in (1, 300, 3_297, 10_000)} == {1e-5}
    assert default_delta(20_000) == pytest.approx(100_000**-1.1)


@pytest.mark.parametrize("wrong", [0.0, 1.0, -1e-3, math.nan])
def test_a_delta_that_is_none_is_refused(wrong):
    with pytest.raises(InputError, match="delta in"):
        accountant(1.0).guarantee(wrong, ADD)
    with pytest.raises(InputError, match="delta in"):
        mu_of(1.0, wrong)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.inf, math.nan])
def test_an_epsilon_that_is_none_is_refused(wrong):
    with pytest.raises(InputError, match="epsilon from"):
        mu_of(wrong, 1e-5)


def test_more_noise_than_there_is_is_refused():
    with pytest.raises(InputError, match="larger epsilon"):
        NoisySum.calibrate(1e-9)


def test_everything_together_is_the_root_of_the_sum_of_squares():
    three = GaussianAccountant(
        [Rounds(NoisySum(grid=64, scale=64 * s), t) for s, t in ((2.0, 1), (3.0, 4))]
    )
    assert three.mu(ADD) == pytest.approx(math.sqrt(1 / 4 + 4 / 9))
    assert GaussianAccountant(()).guarantee(1e-5, REPLACE).epsilon == 0
    assert np.isfinite(three.guarantee(1e-12, REPLACE).epsilon)
