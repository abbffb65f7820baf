"""What is particular to the mechanisms on directions, signs and codewords."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats

from latentdp import InputError
from latentdp.privacy.mechanisms.codebook import Codebook, codewords
from latentdp.privacy.mechanisms.hypercube import Hypercube, _turn, _turn_back
from latentdp.privacy.mechanisms.vmf import VonMisesFisher
from latentdp.privacy.noise import SeededNoise

ANY = arrays(np.float64, (4, 5), elements=st.floats(allow_nan=True, allow_infinity=True))


# --- von Mises-Fisher ------------------------------------------------------------------------


@given(ANY)
def test_directions_have_length_1_for_every_float(values):
    found = VonMisesFisher(dimensions=5, kappa=1.0).directions(values)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.statistical  # 6 standard errors: false-alarm rate 2e-9 per case
@pytest.mark.parametrize(("d", "kappa"), [(2, 1.0), (3, 4.0), (50, 10.0), (1000, 500.0)])
def test_mean_cosine_is_the_ratio_of_bessel_functions(d, kappa):
    made = VonMisesFisher(dimensions=d, kappa=kappa)
    z = np.random.default_rng(0).normal(size=(4000, d))
    cosine = (made.perturb(z, SeededNoise(1)) * made.directions(z)).sum(axis=1)
    expected = special.ive(d / 2, kappa) / special.ive(d / 2 - 1, kappa)
    assert abs(cosine.mean() - expected) < 6 * cosine.std() / math.sqrt(len(z))


@pytest.mark.statistical  # Kolmogorov-Smirnov, false-alarm rate 1e-6
def test_vmf_on_the_circle_is_von_mises():
    made = VonMisesFisher(dimensions=2, kappa=3.0)
    y = made.perturb(np.tile([[1.0, 0.0]], (20_000, 1)), SeededNoise(2))
    angles = np.arctan2(y[:, 1], y[:, 0])
    assert stats.kstest(angles, stats.vonmises(3.0).cdf).pvalue > 1e-6


@given(ANY, st.floats(0.1, 20))
def test_vmf_loss_is_metric(values, kappa):
    """At most kappa times the chord, hence 2 kappa; the density's constant cancels."""
    made = VonMisesFisher(dimensions=5, kappa=kappa)
    v = made.directions(values)
    y = made.perturb(values, SeededNoise(0))
    for i in range(4):
        loss = made.log_likelihood(values, y[[i]]) - made.log_likelihood(values[[i]], y[[i]])
        chord = np.linalg.norm(v - v[i], axis=1)
        assert (np.abs(loss) <= kappa * chord * (1 + 1e-9) + 1e-9).all()
        assert (kappa * chord <= made.guarantee.epsilon).all()


def test_vmf_says_idealised_numerics_everywhere():
    made = VonMisesFisher.calibrate(8.0, 4)
    assert not made.guarantee.exact
    assert "idealised numerics" in str(made.guarantee)
    assert not made.guarantee.compose(Hypercube.calibrate(1.0, 3).guarantee).exact
    assert made.describe()["numerics"] == "idealised"
    assert "kappa" in made.describe()["metric"]


# --- Hypercube -------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "agree", "p"), [(5, 3, 0.75), (5, 5, 0.5), (8, 5, 0.9)])
def test_hypercube_guarantee_is_the_closed_form(k, agree, p):
    lies = round((1 - p) * 2**64)
    inside = sum(math.comb(k, j) for j in range(agree, k + 1))
    expected = math.log(p * (2**k - inside) / ((1 - p) * inside))
    found = Hypercube(dimensions=k, agree=agree, lies=lies).guarantee.epsilon
    assert found == pytest.approx(expected, rel=1e-11)
    assert found >= expected * (1 - 1e-13)


@pytest.mark.parametrize("k", [1, 2, 5, 64, 100])
def test_the_rotation_is_one(k):
    z = np.random.default_rng(k).normal(size=(3, k))
    assert _turn_back(_turn(z)) == pytest.approx(z, abs=1e-12)
    assert np.linalg.norm(_turn(z), axis=1) == pytest.approx(np.linalg.norm(z, axis=1))


def expected_cosine(k: int, agree: int, lies: int) -> float:
    """Mean of y z over signs y: the mean agreement 2 K / k - 1 times E|N(0, 1)|."""
    mass = np.array([math.comb(k, j) for j in range(k + 1)], dtype=float)
    j, p = np.arange(k + 1), 1 - lies / 2**64
    inside = (mass * j)[agree:].sum() / mass[agree:].sum()
    outside = (mass * j)[:agree].sum() / mass[:agree].sum()
    return (2 * (p * inside + (1 - p) * outside) / k - 1) * math.sqrt(2 / math.pi)


@pytest.mark.statistical  # 6 standard errors
@pytest.mark.parametrize(("epsilon", "k"), [(1.0, 5), (8.0, 8), (10.0, 64), (100.0, 300)])
def test_hypercube_keeps_what_its_agreements_say(epsilon, k):
    made = Hypercube.calibrate(epsilon, k)
    z = np.random.default_rng(0).normal(size=(20_000, k))
    signs = np.where(made.perturb(z, SeededNoise(1)) == 1, 1.0, -1.0)
    kept = (signs * _turn(z)).mean(axis=1)
    assert abs(kept.mean() - expected_cosine(k, made.agree, made.lies)) < 6 * kept.std() / 141


@pytest.mark.slow
def test_hypercube_reproduces_known_cosines():
    """k = 64 at 10 nats: .321; k = 4096 at 10 and 100: .0406 and .168."""
    for epsilon, k, known in ((10.0, 64, 0.321), (10.0, 4096, 0.0406), (100.0, 4096, 0.168)):
        made = Hypercube.calibrate(epsilon, k)
        z = np.random.default_rng(0).normal(size=(60 if k > 64 else 4000, k))
        kept = (made.privatize(z, noise=SeededNoise(1)) * z).mean(axis=1)
        assert kept.mean() == pytest.approx(known, abs=5 * kept.std() / math.sqrt(len(z)) + 0.003)


def test_hypercube_saturates_instead_of_lying():
    made = Hypercube.calibrate(300.0, 2)
    assert made.guarantee.epsilon < 50
    assert made == Hypercube.calibrate(600.0, 2)


# --- Codebook --------------------------------------------------------------------------------


@given(ANY)
def test_every_subset_has_exactly_its_size(values):
    made = Codebook(dimensions=5, size=40, nearest=7, lies=2**62, stages=2, gain=0.5)
    subset = made.subset(made._bounded(values), 1)
    assert subset.shape == (4, 7)
    assert (np.diff(subset, axis=1) > 0).all()
    assert subset.min() >= 0
    assert subset.max() < 40


def test_ties_do_not_change_the_size(monkeypatch):
    made = Codebook(dimensions=2, size=30, nearest=7, lies=2**62, stages=1, gain=0.5)
    monkeypatch.setattr(
        "latentdp.privacy.mechanisms.codebook.codewords",
        lambda d, m, s: np.ones((m, d), np.float32),
    )
    subset = made.subset(np.zeros((3, 2)), 0)
    assert all(len(set(row)) == 7 for row in subset.tolist())


@pytest.mark.parametrize("stages", [1, 3])
def test_codebook_guarantee_is_the_closed_form(stages):
    made = Codebook(dimensions=2, size=100, nearest=10, lies=2**62, stages=stages, gain=0.5)
    assert made.guarantee.epsilon == pytest.approx(stages * math.log(3 * 90 / 10), rel=1e-10)
    part, count = made.parts[0]
    assert count * part.guarantee.epsilon == pytest.approx(made.guarantee.epsilon, rel=1e-10)


@pytest.mark.statistical  # chi-square, false-alarm rate 1e-6
def test_what_lies_outside_the_subset_is_uniform_there():
    made = Codebook(dimensions=2, size=12, nearest=4, lies=2**63, stages=1, gain=0.5)
    z = np.tile([[0.3, -1.0]], (60_000, 1))
    chosen = made.perturb(z, SeededNoise(4))[:, 0]
    inside = made.subset(z[:1], 0)[0]
    probability = np.full(12, 0.5 / 8)
    probability[inside] = 0.5 / 4
    assert stats.chisquare(np.bincount(chosen, minlength=12), 60_000 * probability).pvalue > 1e-6


@pytest.mark.statistical  # 5 standard errors and 1 %
@pytest.mark.parametrize(("epsilon", "k", "known"), [(8.0, 8, 0.75), (8.0, 64, 0.325)])
def test_codebook_keeps_what_theory_promises(epsilon, k, known):
    """Near PrivUnit's cosine at the same epsilon, which is optimal of its class."""
    made = Codebook.calibrate(epsilon, k)
    z = np.random.default_rng(0).normal(size=(600, k))
    kept = (made.privatize(z, noise=SeededNoise(1)) * z).mean(axis=1)
    assert kept.mean() == pytest.approx(known, abs=5 * kept.std() / math.sqrt(len(z)) + 0.01)


def test_large_budgets_are_spent_in_stages_of_at_most_11_nats():
    made = Codebook.calibrate(50.0, 16)
    assert made.stages == 5
    assert made.guarantee.epsilon == pytest.approx(50, rel=1e-6)
    z = np.random.default_rng(0).normal(size=(40, 16))
    assert np.corrcoef(made.privatize(z, noise=SeededNoise(1)).ravel(), z.ravel())[0, 1] > 0.93


def test_a_stage_codes_what_the_released_word_leaves_over():
    made = Codebook(dimensions=3, size=50, nearest=3, lies=1, stages=2, gain=0.6)
    z = np.random.default_rng(5).normal(size=(10, 3))
    first, second = made.perturb(z, SeededNoise(1)).T
    rest = (z - 0.6 * codewords(3, 50, 0)[first]) / 0.8
    assert (made.subset(rest, 1) == second[:, None]).any(axis=1).all()


@pytest.mark.parametrize(
    "bad",
    [
        {"dimensions": 257},
        {"nearest": 40},
        {"nearest": 0},
        {"lies": 0},
        {"lies": 2**64},
        {"lies": 2**64 - 2**20},
        {"gain": 1.0},
        {"stages": 0},
    ],
)
def test_codebooks_that_are_none_are_refused(bad):
    good = {"dimensions": 3, "size": 40, "nearest": 5, "lies": 2**62, "stages": 1, "gain": 0.5}
    with pytest.raises(InputError):
        Codebook(**(good | bad))


@pytest.mark.parametrize("kind", [VonMisesFisher, Hypercube, Codebook])
def test_a_clip_is_refused_where_there_is_none(kind):
    with pytest.raises(InputError, match="no clip"):
        kind.calibrate(1.0, 3, 2.0)


@given(epsilon=st.floats(0.05, 60), k=st.integers(1, 40))
def test_hypercube_calibration_never_overspends(epsilon, k):
    made = Hypercube.calibrate(epsilon, k)
    assert made.guarantee.epsilon <= epsilon
    assert made.guarantee.epsilon > 0.999 * epsilon or epsilon > 40
