"""What is particular to the mechanisms that clip the norm of a whole image."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from latentdp import InputError
from latentdp.privacy.mechanisms.base import clip_norm
from latentdp.privacy.mechanisms.gaussian import Gaussian
from latentdp.privacy.mechanisms.laplace_l1 import LaplaceL1
from latentdp.privacy.noise import SeededNoise

ANY = arrays(np.float64, (3, 5), elements=st.floats(allow_nan=True, allow_infinity=True))


@given(ANY)
def test_the_l1_norm_is_bounded_in_integers_for_every_float(values):
    made = LaplaceL1(dimensions=5, clip=3.7, steps=101, base=8)
    grid = made.quantise(values)
    assert (grid % 2 == 0).all()
    assert (np.abs(grid).sum(axis=1) <= 2 * 101).all()


@given(ANY)
def test_the_length_is_bounded_in_integers_for_every_float(values):
    made = Gaussian(dimensions=5, clip=2.2, steps=101, scale=50.0)
    assert ((made.quantise(values) ** 2).sum(axis=1) <= 101**2).all()


@given(ANY, st.floats(1e-3, 1e3), st.sampled_from([1, 2]))
def test_clipping_keeps_the_direction_and_what_is_short(values, bound, order):
    z = np.nan_to_num(values, nan=0.0)
    out = clip_norm(z, bound, order)
    assert (np.linalg.norm(out, ord=order, axis=1) <= bound * (1 + 1e-12)).all()
    with np.errstate(over="ignore"):
        short = np.linalg.norm(z, ord=order, axis=1) <= bound * (1 - 1e-12)
    assert np.array_equal(out[short], z[short])
    assert (np.sign(out) * np.sign(z) >= 0).all()


@given(
    epsilon=st.floats(0.3, 3e4), dimensions=st.integers(1, 4096), clip=st.none() | st.floats(1, 99)
)
def test_l1_guarantee_is_the_closed_form_with_the_factor_2(epsilon, dimensions, clip):
    assume(epsilon / dimensions > 2e-4)  # below, no grid is fine enough, and it is refused
    made = LaplaceL1.calibrate(epsilon, dimensions, clip)
    scale = made.clip / made.steps * made.base / math.log(2)
    assert made.guarantee.epsilon == pytest.approx(2 * made.clip / scale, rel=1e-4)
    assert made.guarantee.epsilon >= 2 * made.clip / scale
    assert made.guarantee.epsilon <= epsilon


def test_too_small_a_budget_for_too_many_dimensions_is_refused():
    for kind in (LaplaceL1, Gaussian):
        with pytest.raises(InputError, match="fewer"):
            kind.calibrate(1e-4, 4096)


def delta_of(epsilon: float, ratio: float) -> mpmath.mpf:
    """Balle and Wang 2018, theorem 8, in 50 digits; ``ratio`` is noise over sensitivity."""
    with mpmath.workdps(50):
        a, b = 1 / (2 * mpmath.mpf(ratio)), epsilon * mpmath.mpf(ratio)
        return mpmath.ncdf(a - b) - mpmath.exp(epsilon) * mpmath.ncdf(-a - b)


@given(epsilon=st.floats(0.3, 3e3), dimensions=st.integers(1, 4096))
def test_gaussian_guarantee_is_the_analytic_one_with_sensitivity_2r(epsilon, dimensions):
    made = Gaussian.calibrate(epsilon, dimensions)
    ratio = made.scale / (2 * made.steps)
    assert made.guarantee.epsilon <= epsilon
    assert made.guarantee.epsilon > 0.99 * epsilon
    assert delta_of(made.guarantee.epsilon, ratio) <= made.delta
    assert delta_of(0.999 * made.guarantee.epsilon, ratio) > made.delta, "and not much too large"


@pytest.mark.parametrize("delta", [1e-3, 1e-6, 1e-12])
def test_gaussian_at_other_deltas(delta):
    made = Gaussian.calibrate(3.0, 10)
    told = made.approximate(delta)
    assert told.delta == delta
    assert delta_of(told.epsilon, made.scale / (2 * made.steps)) <= delta
    assert (told.epsilon > 3) == (delta < 1e-6)


def test_a_lot_of_noise_is_epsilon_0_at_a_large_delta():
    assert Gaussian(dimensions=1, clip=1.0, steps=2, scale=400.0).approximate(0.5).epsilon == 0


@pytest.mark.parametrize("bad", [0.0, 1.0, -1e-6, float("nan")])
def test_a_delta_that_is_none_is_refused(bad):
    with pytest.raises(InputError, match="delta"):
        Gaussian(dimensions=1, clip=1.0, steps=2, scale=4.0, delta=bad)


@pytest.mark.statistical  # Kolmogorov-Smirnov, false-alarm rate 1e-6 per case, seeds fixed
@pytest.mark.parametrize("dimensions", [1, 2, 7, 64, 1000])
@pytest.mark.parametrize("each", [0.1, 4.0, 20.0])
@pytest.mark.parametrize("kind", [Gaussian, LaplaceL1])
def test_noised_normal_latents_are_normal_again(kind, dimensions, each):
    made = kind.calibrate(each * dimensions, dimensions)
    z = np.random.default_rng(0).normal(size=(20_000 // dimensions, dimensions))
    out = made.privatize(z, noise=SeededNoise(3))
    assert stats.kstest(out.ravel(), "norm").pvalue > 1e-6


@pytest.mark.parametrize(("kind", "expected"), [(LaplaceL1, 0.405), (Gaussian, 0.557)])
def test_retained_correlation_is_that_of_the_formula(kind, expected):
    """At epsilon = d = 4096: 0.443 of the formula less the clip, and sqrt(1/2) scaled."""
    made = kind.calibrate(4096.0, 4096)
    z = np.random.default_rng(1).normal(size=(20, 4096))
    noisy = made.perturb(z, SeededNoise(1))
    assert np.corrcoef(z.ravel(), noisy.ravel())[0, 1] == pytest.approx(expected, abs=0.015)
