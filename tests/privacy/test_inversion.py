"""Exact inversion: the common case against its distribution, the rare case against arithmetic."""

import math
from fractions import Fraction
from itertools import permutations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from latentdp import InputError
from latentdp.privacy.mechanisms.hypercube import Hypercube
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.categorical import Choice, bernoulli
from latentdp.privacy.samplers.rounded_gaussian import RoundedNormal
from latentdp.privacy.samplers.uniform import orders
from tests.support.sweeps import slow

ALARM = 1e-6


class Words:
    """Given words first, then the same one for ever."""

    secure = False

    def __init__(self, *words: int, then: int = 0) -> None:
        self.words_left, self.then, self.taken = list(words), then, 0

    def words(self, n: int) -> np.ndarray:
        self.taken += n
        taken = [self.words_left.pop(0) if self.words_left else self.then for _ in range(n)]
        return np.array(taken, dtype=np.uint64)


@pytest.mark.statistical  # chi-square, false-alarm rate 1e-6 per case
@pytest.mark.parametrize("weights", [(1, 1), (1, 2, 3, 0, 4), (10**40, 1, 10**40), (1,) * 50])
def test_a_choice_follows_its_weights(weights):
    n = 200_000
    counts = np.bincount(Choice(weights).draw(SeededNoise(1), n), minlength=len(weights))
    expected = np.array([n * w / sum(weights) for w in weights])
    seen = expected > 1
    assert not counts[~seen].any()
    assert stats.chisquare(counts[seen], expected[seen]).pvalue > ALARM


@given(
    weights=st.lists(st.integers(0, 2**80), min_size=1, max_size=6).filter(any),
    word=st.integers(0, 2**64 - 1),
    more=st.integers(0, 2**64 - 1),
)
def test_a_choice_is_decided_by_exact_arithmetic(weights, word, more):
    """U is known to 127 bits here; where these decide, the index is that of U."""
    noise = Words(word, more, then=2**63)
    (index,) = Choice(tuple(weights)).draw(noise, 1)
    low = Fraction((word >> 1 << 64) + more, 2**127)
    high = low + Fraction(1, 2**127)
    cumulative = [Fraction(sum(weights[: i + 1]), sum(weights)) for i in range(len(weights))]
    first = sum(c <= low for c in cumulative)
    last = sum(c < high for c in cumulative)
    assert first <= index <= last
    assert weights[index] > 0


def test_a_word_on_a_threshold_takes_more_bits():
    third = 2**63 // 3  # the first 63 bits of 1/3
    undecided = Words(third << 1, 0)  # below 1/3 by its next bits
    assert Choice((1, 2)).draw(undecided, 1)[0] == 0
    assert undecided.taken > 1
    assert Choice((1, 2)).draw(Words(third << 1, 2**64 - 1), 1)[0] == 1
    assert Choice((1, 2)).draw(Words((third + 1) << 1), 1)[0] == 1


@pytest.mark.parametrize("bits", [64, 127, 200, 4096])
def test_a_choice_takes_as_many_words_as_its_rarest_index_needs(bits):
    """U that begins with zeros is below 2^-bits, or not, by what comes after so many of them."""
    rare = Choice((1, 2**bits - 1))
    needed = -(-(bits + 1) // 64)  # words; the first one has 63 bits
    noise = Words(then=0)
    assert rare.draw(noise, 1)[0] == 0
    assert noise.taken >= needed
    assert rare.draw(Words(*[0] * (needed - 2), 2**64 - 1), 1)[0] == 1


def test_a_choice_among_201_bits_takes_four_words():
    noise = Words(then=0)
    assert Choice((1, 2**200)).draw(noise, 1)[0] == 0
    assert noise.taken == 4


@pytest.mark.parametrize(("epsilon", "dimensions"), [(8.0, 128), slow(8.0, 4094), (100.0, 4096)])
def test_every_corner_of_the_hypercube_can_be_drawn(epsilon, dimensions):
    """No output may be possible for one image and impossible for another."""
    made = Hypercube.calibrate(epsilon, dimensions)
    for choice, least, most in zip(
        made._agreements, (made.agree, 0), (dimensions, made.agree - 1), strict=True
    ):
        assert choice.draw(Words(then=0), 1)[0] == least
        assert choice.draw(Words(*[2**64 - 1] * 70, then=0), 1)[0] == most


@pytest.mark.parametrize("weights", [(), (0, 0), (1, -1)])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(InputError, match="weights"):
        Choice(weights)


@pytest.mark.statistical  # binomial, false-alarm rate 1e-6
def test_bernoulli_with_a_fraction_of_any_size():
    hits = bernoulli(SeededNoise(3), 10**50, 3 * 10**50, 300_000).sum()
    assert stats.binomtest(int(hits), 300_000, 1 / 3).pvalue > ALARM
    assert not bernoulli(SeededNoise(3), 0, 5, 1000).any()
    assert bernoulli(SeededNoise(3), 5, 5, 1000).all()


@pytest.mark.statistical  # chi-square, false-alarm rate 1e-6 per case
@pytest.mark.parametrize("scale", [0.5, 1.0, 3.7, 40.0])
def test_rounded_normal_follows_its_probabilities(scale):
    sampler, n = RoundedNormal(scale), 500_000
    draws = sampler.draw(SeededNoise(1), n)
    reach = np.arange(-math.ceil(7 * scale), math.ceil(7 * scale) + 1)
    expected = n * np.exp(sampler.log_probability(reach))
    assert expected.sum() == pytest.approx(n, rel=1e-9)
    counts = np.array([(draws == m).sum() for m in reach])
    enough = expected > 5
    assert (
        stats.chisquare(
            np.append(counts[enough], n - counts[enough].sum()),
            np.append(expected[enough], n - expected[enough].sum()),
        ).pvalue
        > ALARM
    )


def survival(m: int, scale: float) -> mpmath.mpf:
    return mpmath.erfc((m + mpmath.mpf(0.5)) / (scale * mpmath.sqrt(2)))


@pytest.mark.parametrize("scale", [0.5, 3.7, 300.0, 5e4])
@pytest.mark.parametrize(
    "word", [0, 2**63, 2**64 - 2, 2**64 - 2**16, 2**64 - 2**30, 12345678901234567]
)
def test_rounded_normal_is_right_in_the_tails_and_at_the_thresholds(scale, word):
    """Against 100 digits: the magnitude m has P(|N| > m) < 1 - U <= P(|N| > m - 1)."""
    (draw,) = RoundedNormal(scale).draw(Words(word, then=2**63), 1)
    with mpmath.workdps(100):
        tail = 1 - mpmath.mpf(word >> 1) / 2**63
        m = abs(int(draw))
        assert survival(m, scale) < tail
        assert m == 0 or tail - mpmath.mpf(2) ** -63 < survival(m - 1, scale)


def test_ones_without_end_so_far_ask_for_more():
    """U that is 1 by its first 255 bits has no tail yet, and needs more of them."""
    noise = Words(2**64 - 2, *[2**64 - 1] * 3, then=2**63)
    (draw,) = RoundedNormal(1.0).draw(noise, 1)
    assert noise.taken > 4
    with mpmath.workdps(200):
        assert survival(int(draw), 1.0) < mpmath.mpf(2) ** -255 < survival(int(draw) - 2, 1.0)


@pytest.mark.parametrize("scale", [1.0, 77.0, 5e4])
def test_words_near_a_threshold_are_resolved_exactly(scale):
    sampler = RoundedNormal(scale)
    for m in (0, 1, int(scale), int(4 * scale)):
        with mpmath.workdps(100):
            exact = int((1 - survival(m, scale)) * 2**63)
        for offset, expected in ((-1, m), (1, m + 1)):
            noise = Words((exact + offset) << 1, then=2**63)
            assert abs(int(sampler.draw(noise, 1)[0])) == expected
            assert noise.taken > 1, "so near, 63 bits of a float cannot decide"


def test_log_probability_of_a_rounded_normal():
    with mpmath.workdps(60):
        for n, scale in ((0, 1.0), (3, 2.0), (-40, 2.0), (2000, 55.5), (10**6, 5e4)):
            high = survival(abs(n) - 1, scale) / 2 if n else mpmath.mpf(1) - survival(0, scale)
            exact = mpmath.log(high - survival(abs(n), scale) / 2 if n else high)
            got = RoundedNormal(scale).log_probability(np.array([n]))[0]
            assert got == pytest.approx(float(exact), rel=1e-9)


@pytest.mark.parametrize("scale", [0.4, 2.0**19, float("nan"), -1.0])
def test_scales_out_of_range_are_refused(scale):
    with pytest.raises(InputError, match="scale"):
        RoundedNormal(scale)


@pytest.mark.statistical  # chi-square, false-alarm rate 1e-6
def test_orders_are_uniform():
    drawn = orders(SeededNoise(2), 60_000, 4)
    counts = [int((drawn == np.array(p)).all(axis=1).sum()) for p in permutations(range(4))]
    assert sum(counts) == 60_000
    assert stats.chisquare(counts).pvalue > ALARM


def test_an_order_with_equal_words_is_drawn_again():
    noise = Words(5, 5, 1, 9, 8, 7)
    assert orders(noise, 1, 3).tolist() == [[2, 1, 0]]
    assert noise.taken == 6
