"""What is particular to the per-element Laplace mechanism."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from latentdp import InputError
from latentdp.privacy.mechanisms.laplace import Laplace
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.postprocessing import to_normal
from latentdp.privacy.samplers.discrete_laplace import two_sided_geometric


@given(
    epsilon=st.floats(0.05, 1e5),
    dimensions=st.integers(1, 4096),
    clip=st.none() | st.floats(0.1, 10),
)
def test_calibrated_guarantee_is_the_closed_form_and_within_budget(epsilon, dimensions, clip):
    made = Laplace.calibrate(epsilon, dimensions, clip)
    closed = dimensions * 2 * made.steps * math.log(2) / made.base
    assert made.guarantee.epsilon == pytest.approx(closed, rel=1e-4)
    assert made.guarantee.epsilon >= closed
    assert made.guarantee.epsilon <= epsilon


def test_too_small_a_budget_for_too_many_dimensions_is_refused():
    with pytest.raises(InputError, match="fewer"):
        Laplace.calibrate(1e-3, 4096)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=4, max_size=4))
def test_the_clip_holds_for_every_float(values):
    made = Laplace(dimensions=4, clip=1.5, steps=10, base=8)
    grid = made.quantise(np.array([values]))
    assert (np.abs(grid) <= 20).all()
    assert (grid % 2 == 0).all()


def test_the_exact_loss_at_the_corners_is_the_claim():
    """By enumeration: every output that the two corners can give, from the integer masses."""
    made = Laplace(dimensions=1, clip=1.0, steps=3, base=7)
    sampler = two_sided_geometric(7)

    def log_probability(twice_n: np.ndarray) -> np.ndarray:
        k = (np.abs(twice_n) - 1) // 2
        return np.log(sampler.masses[k % 7].astype(float)) - (k // 7) * math.log(2)

    outputs = np.arange(-401, 402, 2)
    low, high = (int(made.quantise(np.array([[x]]))[0, 0]) for x in (-9.0, 9.0))
    loss = np.abs(log_probability(outputs - high) - log_probability(outputs - low)).max()
    assert loss <= made.guarantee.epsilon
    assert loss > 0.999999 * made.guarantee.epsilon, "the bound should be tight"


@pytest.mark.parametrize(("c", "b"), [(1, 2.0), (3, 6.0), (1, 0.2), (3, 0.05), (2, 50.0)])
def test_quantile_map_agrees_with_quadrature(c, b):
    def distribution(y: float) -> float:
        def laplace(u: float) -> float:
            return 0.5 * math.exp(u / b) if u < 0 else 1 - 0.5 * math.exp(-u / b)

        inside, _ = integrate.quad(
            lambda z: stats.norm.pdf(z) * laplace(y - z),
            -c,
            c,
            points=[min(max(y, -c), c)],
            epsabs=1e-14,
            limit=300,
        )
        return stats.norm.cdf(-c) * (laplace(y + c) + laplace(y - c)) + inside

    ys = np.array([-3.0, -1.0, -0.5, -0.01])
    expected = stats.norm.ppf([distribution(y) for y in ys])
    assert to_normal(ys, c, b) == pytest.approx(expected, abs=2e-7)
    assert to_normal(-ys, c, b) == pytest.approx(-expected, abs=2e-7), "odd by symmetry"


@given(st.floats(-1e6, 1e6), st.floats(0.3, 4), st.floats(0.02, 1e4))
def test_quantile_map_is_finite_and_monotone(y, c, b):
    low, high = to_normal(np.array([y, y + 0.1 + abs(y) * 1e-3]), c, b)
    assert math.isfinite(low)
    assert low <= high


@pytest.mark.statistical  # Kolmogorov-Smirnov, false-alarm rate 1e-6 per case, seeds fixed
@pytest.mark.parametrize("epsilon_each", [0.01, 1.0, 4.0, 16.0])
def test_noised_normal_latents_are_normal_again(epsilon_each):
    made = Laplace.calibrate(1000 * epsilon_each, 1000)
    z = np.random.default_rng(0).normal(size=(100, 1000))
    out = made.privatize(z, noise=SeededNoise(3))
    assert stats.kstest(out.ravel(), "norm").pvalue > 1e-6


@pytest.mark.parametrize(
    ("d", "each", "expected"),
    [(4096, 0.05, 19.5), (4096, 1.0, 1751), (65536, 0.01, 14.9)],
)
def test_approximate_guarantee_reproduces_known_values(d, each, expected):
    """(epsilon, 1e-6) of d Laplace mechanisms by privacy-loss distributions."""
    made = Laplace.calibrate(d * each, d)
    assert made.approximate(1e-6).epsilon == pytest.approx(expected, rel=0.02)


def test_retained_correlation_matches_the_formula():
    """rho = P_c / sqrt(V_c + 2 b^2) before the map; the map may only raise it."""
    made = Laplace.calibrate(4096.0, 4096)
    z = np.random.default_rng(1).normal(size=(50, 4096))
    out = made.privatize(z, noise=SeededNoise(1))
    c, b = made.clip, made.scale
    p = 2 * stats.norm.cdf(c) - 1
    v = p - 2 * c * stats.norm.pdf(c) + 2 * c**2 * stats.norm.cdf(-c)
    assert np.corrcoef(z.ravel(), out.ravel())[0, 1] == pytest.approx(
        p / math.sqrt(v + 2 * b**2), abs=0.04
    )
