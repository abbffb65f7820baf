"""Samplers against their exact distributions. Each statistical test states its false-alarm rate;
seeds are fixed, so a test that passes once passes always."""

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest
from scipy import stats

from latentdp import InputError
from latentdp.privacy.noise import SeededNoise, SystemNoise
from latentdp.privacy.samplers.discrete_laplace import TwoSidedGeometric
from latentdp.privacy.samplers.uniform import below, normal, permutation

ALARM = 1e-6
BASES = (1, 2, 3, 16, 64, 1000, 4096)


@pytest.mark.promise(
    "Noise is drawn in whole numbers with exact chances, so that rounding cannot give a "
    "source away."
)
@pytest.mark.parametrize("base", BASES)
def test_masses_are_integers_that_fill_their_word_exactly(base):
    masses = TwoSidedGeometric(base).masses
    assert int(masses.sum()) == 2**47
    assert masses.min() > 0


@pytest.mark.parametrize("base", [1, 3, 64, 4096])
def test_loss_bounds_the_true_ratio_of_the_integer_table(base):
    # Exactly, with 50 digits: probabilities of two neighbouring half-integers are the masses,
    # halved once per full round of the base.
    getcontext().prec = 50
    sampler = TwoSidedGeometric(base)
    logs = [Decimal(int(m)).ln() for m in sampler.masses]
    ln2 = Decimal(2).ln()

    def log_probability(n: int) -> Decimal:  # n = K, so |N| = K + 1/2
        high, low = divmod(n, base)
        return logs[low] - high * ln2

    for distance in (1, 2, 7, base):
        bound = Decimal(sampler.loss(distance))
        for start in range(0, 2 * base, max(1, base // 97)):
            gap = log_probability(start) - log_probability(start + distance)
            assert abs(gap) <= bound
        assert bound <= (Decimal(distance) * ln2 / base) * (1 + Decimal("1e-6")) + Decimal("1e-9")


@pytest.mark.statistical  # chi-square, false-alarm rate 1e-6 per case
@pytest.mark.parametrize("base", [1, 4, 16, 64])
def test_draws_follow_the_exact_distribution(base):
    n = 1_000_000
    draws = TwoSidedGeometric(base).draw(SeededNoise(base), n)
    assert (draws % 2 != 0).all()
    magnitudes = (np.abs(draws) - 1) // 2
    ratio = 2 ** (-1 / base)
    cells = 12 * base
    expected = n * (1 - ratio) * ratio ** np.arange(cells)
    observed = np.bincount(np.minimum(magnitudes, cells), minlength=cells + 1)
    expected = np.append(expected, n * ratio**cells)
    assert stats.chisquare(observed, expected).pvalue > ALARM
    assert stats.binomtest(int((draws > 0).sum()), n).pvalue > ALARM


def test_long_tails_go_on_in_fresh_words():
    class Words:
        """16 zero bits in the first call, then a word with 70 zeros in a row."""

        secure = False

        def __init__(self) -> None:
            self.calls = [np.array([1 << 16], np.uint64), np.zeros(1, np.uint64)]

        def words(self, n: int) -> np.ndarray:
            assert n == 1
            return self.calls.pop(0) if self.calls else np.array([1 << 6], np.uint64)

    (draw,) = TwoSidedGeometric(5).draw(Words(), 1)
    assert draw == 2 * (5 * (16 + 64 + 6) + 0) + 1


@pytest.mark.parametrize("base", [0, -1, 2**18 + 1])
def test_bases_out_of_range_are_refused(base):
    with pytest.raises(InputError, match="base"):
        TwoSidedGeometric(base)


@pytest.mark.statistical  # chi-square, false-alarm rate 1e-6 per case
@pytest.mark.parametrize("bound", [1, 2, 3, 15, 1000])
def test_below_is_uniform(bound):
    draws = below(SeededNoise(1), bound, 200_000)
    assert draws.min() >= 0
    assert draws.max() < bound
    if bound > 1:
        assert stats.chisquare(np.bincount(draws, minlength=bound)).pvalue > ALARM


@pytest.mark.statistical  # Kolmogorov-Smirnov, false-alarm rate 1e-6
def test_normal_is_normal():
    assert stats.kstest(normal(SeededNoise(2), (100_000,)), "norm").pvalue > ALARM


def test_permutation_holds_everything_once():
    order = permutation(SeededNoise(4), 1000)
    assert sorted(order) == list(range(1000))
    assert (order != np.arange(1000)).any()


def test_system_noise_never_repeats_and_seeded_noise_does():
    a, b = SystemNoise(), SystemNoise()
    assert a.secure
    assert not SeededNoise(0).secure
    assert len({bytes(s.words(4)) for s in (a, b, a)}) == 3
    one, two = SeededNoise(5), SeededNoise(5)
    assert bytes(one.words(4)) == bytes(two.words(4))
    assert bytes(one.words(4)) != bytes(SeededNoise(5).words(4)), "the stream must move on"


@pytest.mark.statistical  # binomial, false-alarm rate 1e-6
def test_system_noise_has_fair_bits():
    ones = int(np.bitwise_count(SystemNoise().words(200_000)).sum())
    assert stats.binomtest(ones, 64 * 200_000).pvalue > ALARM
    assert math.isclose(ones / (64 * 200_000), 0.5, abs_tol=1e-3)
