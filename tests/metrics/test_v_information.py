"""Bits that readers of a family find: all, none, and never more than noise lets through."""

import numpy as np
import pytest

from latentdp.metrics.v_information import choice_bits, gaussian_ceiling, side_bits

RNG = np.random.default_rng(8)


@pytest.mark.parametrize("n", [2, 16, 100])
def test_who_is_always_right_finds_all_and_who_guesses_none(n):
    own = RNG.integers(0, n, 200)
    right = choice_bits(np.eye(n)[own], own, 0)
    assert right.value == pytest.approx(np.log2(n), abs=0.05)
    guessed = choice_bits(RNG.normal(size=(200, n)), own, 0)
    assert -0.1 < guessed.value < 0.05
    assert guessed.low <= guessed.value <= guessed.high


def test_scores_that_say_nothing_are_no_bits_and_no_division_by_0():
    assert choice_bits(np.zeros((10, 5)), np.zeros(10, dtype=int), 0).value == pytest.approx(0)
    assert side_bits(np.zeros(10), np.arange(10) % 2 == 0, 0).value == pytest.approx(0)
    assert choice_bits(np.zeros((1, 5)), np.zeros(1, dtype=int), 0) is None
    assert choice_bits(np.zeros((4, 1)), np.zeros(4, dtype=int), 0) is None


def test_a_half_that_is_right_by_luck_does_not_choose_how_it_is_judged():
    """Otherwise guesses would seem to be worth bits."""
    lucky = [choice_bits(RNG.normal(size=(6, 8)), np.arange(6), s).value for s in range(60)]
    assert np.mean(lucky) < 0.02


@pytest.mark.statistical
@pytest.mark.parametrize("mu", [0.2, 0.6, 2.0])
def test_no_reader_finds_more_than_a_gaussian_channel_lets_through(mu):
    """Which of two is known from a normal with means mu apart; false alarm below 1e-6."""
    side = np.arange(10_000) % 2 == 0
    seen = RNG.normal(size=len(side)) + mu * side
    bits = side_bits(seen, side, 0)
    assert bits.value - 3 * (bits.high - bits.value) < gaussian_ceiling(mu)
    assert bits.value > 0.1 * gaussian_ceiling(mu) / (1 + mu)
    assert gaussian_ceiling(0.0) == 0


def test_one_mistake_of_a_sure_reader_does_not_cost_all_that_it_finds():
    own = np.arange(100)
    scores = np.eye(100)
    scores[7] = scores[8]
    assert choice_bits(scores, own, 0).value > 6


def test_a_reader_that_is_surely_right_finds_the_bit():
    side = np.arange(100) % 2 == 0
    assert side_bits(np.where(side, 1.0, 0.0), side, 0).value == pytest.approx(1, abs=0.05)
