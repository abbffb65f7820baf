"""Every string of random bits, up to a length: samplers have the probabilities that they state.

Words have few bits here, and nothing else is changed. What the strings decide is at most what the
formula says, as a fraction; what they leave open is little; so no outcome lacks what it must have.
"""

import math
from fractions import Fraction
from itertools import permutations, product

import mpmath
import numpy as np
import pytest

from latentdp.privacy.mechanisms.codebook import Codebook
from latentdp.privacy.mechanisms.hypercube import Hypercube
from latentdp.privacy.randomized_response import RandomisedResponse
from latentdp.privacy.samplers.categorical import Choice, bernoulli
from latentdp.privacy.samplers.discrete_laplace import TwoSidedGeometric
from latentdp.privacy.samplers.rounded_gaussian import RoundedNormal
from latentdp.privacy.samplers.uniform import below, orders
from tests.support.rigged_words import enumerate_words, words_of
from tests.support.sweeps import diagonal, some


def agree(decided, formula, open_, most):
    """Each outcome has its probability but for what is open, and that is at most ``most``."""
    assert set(decided) <= {outcome for outcome, p in formula.items() if p}
    assert sum(formula.values()) == 1
    assert open_ <= most
    for outcome, probability in formula.items():
        assert 0 <= probability - decided.get(outcome, 0) <= open_, outcome


def ratios(weights):
    return {i: Fraction(w, sum(weights)) for i, w in enumerate(weights)}


@pytest.mark.parametrize(
    "weights",
    [(1, 1), (1, 2), (3, 0, 5), (0, 1, 2**13), (1, 2**13, 1), (2**13, 1, 0), (1, 1, 1, 1, 1, 2)],
)
def test_a_choice(weights):
    with words_of(4):
        made = Choice(weights)
        found = enumerate_words(lambda noise: int(made.draw(noise, 1)[0]), 4, depth=7)
    agree(found[0], ratios(weights), found[1], Fraction(len(weights), 2**27))


def test_a_bernoulli_event():
    with words_of(4):
        found = enumerate_words(lambda noise: int(bernoulli(noise, 5, 12, 1)[0]), 4, depth=6)
    agree(found[0], ratios((7, 5)), found[1], Fraction(1, 2**22))


@pytest.mark.parametrize("bound", [1, 2, 3, 7, 11, 16])
def test_an_integer_below_a_bound(bound):
    with words_of(4):
        found = enumerate_words(lambda noise: int(below(noise, bound, 1)[0]), 4, depth=4)
    agree(found[0], ratios((1,) * bound), found[1], Fraction(16 % bound, 16) ** 4)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_an_order(size):
    """Two words of two are drawn twice; three are open where words are equal."""
    with words_of(3):
        found = enumerate_words(
            lambda noise: tuple(orders(noise, 1, size)[0].tolist()), 3, depth=4 if size < 3 else 3
        )
    every = list(permutations(range(size)))
    equal = {1: Fraction(0), 2: Fraction(1, 8) ** 2, 3: 1 - Fraction(8 * 7 * 6, 8**3)}[size]
    agree(found[0], dict.fromkeys(every, Fraction(1, len(every))), found[1], equal)
    assert len(set(found[0].values())) == 1, "no order is favoured"


@pytest.mark.parametrize(("threshold", "label"), diagonal([8, 11, 15], [-1, 0, 2]))
def test_a_label_by_randomised_response(threshold, label):
    with words_of(4):
        response = RandomisedResponse(classes=3, threshold=threshold)
        truth = Fraction(threshold, 16)
        epsilon = response.guarantee.epsilon
        found = enumerate_words(
            lambda noise: int(response.respond(np.array([label]), noise)[0]), 4, depth=4
        )
    formula = {i: truth if i == label else (1 - truth) / 2 for i in range(3)}
    agree(
        found[0],
        formula if label >= 0 else ratios((1, 1, 1)),
        found[1],
        Fraction(1, 64),
    )
    assert math.exp(epsilon) >= truth / ((1 - truth) / 2)


@pytest.mark.parametrize("base", some([1, 2, 3], [1, 2]))
def test_laplace_noise(base):
    """The high part without an end: what is open is what needs more than two words."""
    with words_of(8, high=2):
        made = TwoSidedGeometric(base)
        found = enumerate_words(lambda noise: int(made.draw(noise, 1)[0]), 8, depth=2)
        masses = [Fraction(int(mass), 2**5) for mass in made.masses]
    rounds = 2 + 8
    formula = {
        sign * (2 * (base * high + low) + 1): masses[low] / 2 ** (high + 2)
        for sign, high, low in product((1, -1), range(rounds), range(base))
    }
    assert found[1] == Fraction(1, 2**rounds)
    assert found[0] == formula


@pytest.mark.parametrize("scale", some([0.5, 1.0, 2.5], [0.5, 1.0]))
def test_a_rounded_normal(scale):
    """Its probabilities are no fractions: 40 digits of them."""
    with words_of(4):
        made = RoundedNormal(scale)
        decided, open_ = enumerate_words(lambda noise: int(made.draw(noise, 1)[0]), 4, depth=4)
    assert open_ < Fraction(1, 64)
    with mpmath.workdps(40):
        root = scale * mpmath.sqrt(2)
        for n in range(-4, 5):
            low, high = ((n + side) / root for side in (mpmath.mpf(-0.5), mpmath.mpf(0.5)))
            exact = (mpmath.erf(high) - mpmath.erf(low)) / 2
            found = decided.get(n, Fraction(0))
            missing = exact - mpmath.mpf(found.numerator) / found.denominator
            assert 0 <= missing <= float(open_), n


@pytest.mark.slow
def test_corners_of_the_hypercube():
    with words_of(2):
        made = Hypercube(dimensions=2, agree=2, lies=1)
        latent = np.array([[1.0, -0.3]])
        decided, open_ = enumerate_words(
            lambda noise: tuple(made.perturb(latent, noise)[0].tolist()), 2, depth=7
        )
        mine = tuple(made.signs(latent)[0].tolist())
    truth = Fraction(3, 4)
    formula = {
        corner: truth if corner == mine else (1 - truth) / 3
        for corner in product((0, 1), repeat=2)
    }
    agree(decided, formula, open_, Fraction(1, 2))


def test_words_of_a_codebook():
    with words_of(3):
        made = Codebook(dimensions=2, size=5, nearest=2, lies=2, stages=1, gain=0.5)
        latent = np.array([[0.4, -1.0]])
        decided, open_ = enumerate_words(
            lambda noise: int(made.perturb(latent, noise)[0, 0]), 3, depth=5
        )
        subset = set(made.subset(latent, 0)[0].tolist())
    truth = Fraction(6, 8)
    formula = {i: truth / 2 if i in subset else (1 - truth) / 3 for i in range(5)}
    agree(decided, formula, open_, Fraction(1, 8))
