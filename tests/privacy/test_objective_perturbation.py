"""Objective perturbation: what is proved is never below what an exact integral finds."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from latentdp.errors import InputError
from latentdp.privacy.gaussian_trade_off import log_delta
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.objective_perturbation import PerturbedObjective, _delta


@pytest.mark.parametrize("dimensions", [1, 2, 8])
@pytest.mark.parametrize("length", [0.1, 0.7, 3.0])
def test_the_sum_bounds_the_integral_from_above_and_closely(dimensions, length):
    for epsilon in (0.2, 1.0, 4.0):

        def positive(c, epsilon=epsilon):
            loss = epsilon - c * length - length**2 / 2
            return max(0.0, -math.expm1(loss)) * stats.chi.pdf(c, dimensions)

        first = max(0.0, (epsilon - length**2 / 2) / length)
        exact = integrate.quad(positive, first, first + 12, limit=400)[0]
        bound = _delta(epsilon, length, dimensions)
        assert exact - 1e-13 <= bound <= exact * 1.01 + 1e-13


def test_it_is_never_cheaper_than_a_gaussian_release_of_the_same_shift():
    """A shift that does not depend on the output is the plain Gaussian mechanism."""
    for length in (0.2, 1.0):
        for epsilon in (0.5, 2.0):
            plain = math.exp(log_delta(epsilon, 1 / length))
            assert plain <= _delta(epsilon, length, 1) <= 2.02 * plain + 1e-17


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize(("epsilon", "findings"), [(0.5, 1), (2.0, 3), (8.0, 1)])
def test_calibration_spends_what_it_may(epsilon, findings, pure):
    made = PerturbedObjective.calibrate(
        epsilon, 1e-5, findings=findings, curvature=0.25, share=0.1, pure=pure
    )
    spent = made.guarantee(1e-5, Relation.REPLACE_ONE)
    assert 0.999 * epsilon < spent.epsilon <= epsilon
    assert spent.delta == (0.0 if pure else 1e-5)
    assert not spent.exact
    assert made.determinants == pytest.approx(0.1 * epsilon, rel=1e-6)
    assert made.guarantee(1e-5, Relation.ADD_REMOVE).epsilon < spent.epsilon


def test_losses_of_a_real_minimum_stay_below_what_is_proved():
    """Brute force in one dimension: densities of the minimum on two neighbouring cohorts.

    The density of w is that of the b that leads to it, times the derivative of b by w.
    """
    x, y = np.array([1.0, -0.5, 0.8]), np.array([1.0, 0.0, 1.0])
    made = PerturbedObjective(findings=1, regularisation=0.4, curvature=0.25, scale=2.5)
    w = np.linspace(-60, 60, 200_001)

    def density(x, y):
        p = 1 / (1 + np.exp(-np.outer(w, x)))
        b = -((p - y) * x).sum(axis=1) - made.regularisation * w
        slope = (p * (1 - p) * x**2).sum(axis=1) + made.regularisation
        return stats.norm.pdf(b, 0, made.scale) * slope

    one = density(x, y)
    for worst in ((1.0, 0.0), (-1.0, 1.0), (0.0, 0.0)):
        other = density(np.append(x[:-1], worst[0]), np.append(y[:-1], worst[1]))
        for first, second in ((one, other), (other, one)):
            assert np.trapezoid(first, w) == pytest.approx(1, abs=1e-3)
            for delta in (1e-2, 1e-4):
                epsilon = made.guarantee(delta, Relation.REPLACE_ONE).epsilon
                lost = np.trapezoid(np.maximum(first - math.exp(epsilon) * second, 0), w)
                assert lost <= delta


@pytest.mark.parametrize(
    "changed", [{"findings": 0}, {"regularisation": 0.0}, {"curvature": -1.0}, {"scale": math.inf}]
)
def test_what_is_no_objective_is_refused(changed):
    usual = {"findings": 1, "regularisation": 1.0, "curvature": 0.25, "scale": 1.0}
    with pytest.raises(InputError):
        PerturbedObjective(**usual | changed)


def test_a_delta_that_is_none_is_refused():
    made = PerturbedObjective(findings=1, regularisation=1.0, curvature=0.25, scale=1.0)
    with pytest.raises(InputError, match="delta"):
        made.guarantee(1.0, Relation.ADD_REMOVE)
