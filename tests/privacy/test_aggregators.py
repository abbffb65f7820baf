"""One contract for all aggregators: chances as defined, and a cost that bounds every neighbour."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from latentdp.core import plugins
from latentdp.errors import InputError
from latentdp.privacy.aggregators.exponential import ExponentialMechanism
from latentdp.privacy.aggregators.laplace import NoisyCounts
from latentdp.privacy.aggregators.permute_and_flip import PermuteAndFlip
from latentdp.privacy.noise import SeededNoise
from tests.support import chances

NAMES = plugins.names("aggregators")
ALARM = 1e-6
ORDERS = (1.001, 1.5, 2.0, 5.0, 20.0, 100.0)
SMALL = [counts for counts in itertools.product(range(5), repeat=2) if sum(counts)]
THREE = [(4, 1, 0), (2, 2, 1), (5, 0, 0), (1, 1, 1), (3, 2, 0)]


def made(name, epsilon=1.0):
    return plugins.load("aggregators", name).aggregator.calibrate(epsilon)


def exact(name, aggregator, counts):
    return np.array([float(p) for p in chances.BY_NAME[name](aggregator, counts)])


def neighbours(counts):
    """One vote moves from one candidate to another."""
    for loser, gainer in itertools.permutations(range(len(counts)), 2):
        if counts[loser]:
            moved = list(counts)
            moved[loser] -= 1
            moved[gainer] += 1
            yield tuple(moved)


def losses(name, aggregator, cases):
    """Chances of counts and of their neighbours."""
    for counts in cases:
        here = exact(name, aggregator, counts)
        for moved in neighbours(counts):
            yield here, exact(name, aggregator, moved)


@pytest.mark.parametrize("name", NAMES)
def test_every_aggregator_calls_itself_as_its_file(name):
    kind = plugins.load("aggregators", name).aggregator
    assert kind.name == name
    assert kind.title
    assert kind.source
    assert kind.of(made(name).parameter) == made(name)


@pytest.mark.promise(
    "Moving one vote changes the probability of an answer by a factor of exp(epsilon) at most."
)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("epsilon", [0.3, 2.0])
def test_no_answer_is_likelier_than_is_stated(name, epsilon):
    aggregator = made(name, epsilon)
    assert 0.95 * epsilon < aggregator.epsilon <= epsilon
    worst = max(
        float(np.abs(np.log(here / there)).max())
        for here, there in losses(name, aggregator, SMALL + THREE)
    )
    assert worst <= aggregator.epsilon * (1 + 1e-9)
    assert worst > 0.5 * aggregator.epsilon, "it could cost half"


@pytest.mark.parametrize("name", NAMES)
def test_divergence_of_every_order_is_within_rho(name):
    aggregator = made(name)
    for here, there in losses(name, aggregator, SMALL + THREE):
        for order in ORDERS:
            sums = (here**order * there ** (1 - order)).sum()
            assert math.log(sums) / (order - 1) <= order * aggregator.rho * (1 + 1e-9) + 1e-12


@pytest.mark.statistical
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("counts", [(3, 1), (2, 2, 0), (4, 3, 3, 1)])
def test_winners_come_as_often_as_defined(name, counts):
    """Chi-square; it alarms falsely once in a million."""
    aggregator = made(name)
    n = 4_000
    winners = aggregator.winners(np.tile(counts, (n, 1)), SeededNoise(4))
    observed = np.bincount(winners, minlength=len(counts))
    expected = n * exact(name, aggregator, counts)
    assert stats.chisquare(observed, expected * n / expected.sum()).pvalue > ALARM


@pytest.mark.parametrize("name", NAMES)
def test_chances_in_floats_are_those_of_the_definition(name):
    aggregator = made(name)
    for counts in [(3, 1), *THREE]:
        told = aggregator.probabilities(np.array([counts]))
        if told is not None:
            assert told[0] == pytest.approx(exact(name, aggregator, counts))
    tolerance = 1e-3 if name == "laplace" else 1e-9  # of continuous noise
    for lead in (0, 1, 3):
        stated = exact(name, aggregator, (lead, 0))[1]
        assert aggregator.wrong(lead) == pytest.approx(stated, rel=tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_a_sure_lead_is_the_first_that_is(name):
    aggregator = made(name)
    lead = aggregator.sure_lead()
    assert aggregator.wrong(lead) <= 0.05 < aggregator.wrong(lead - 1)


@pytest.mark.parametrize("name", NAMES)
def test_each_election_has_noise_of_its_own(name):
    ties = np.full((64, 2), 3)
    winners = made(name).winners(ties, SeededNoise(1))
    assert 0 < winners.sum() < 64
    assert (winners != made(name).winners(ties, SeededNoise(2))).any()


@pytest.mark.parametrize("name", NAMES)
def test_a_large_budget_answers_what_most_said(name):
    counts = np.array([[9, 1, 0], [0, 2, 8]])
    assert made(name, 60.0).winners(counts, SeededNoise(0)).tolist() == [0, 2]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("counts", [[[1.0, 2.0]], [[1], [2]], [[-1, 2]], [[1, 10**6]], [1, 2]])
def test_what_are_no_votes_is_refused(name, counts):
    with pytest.raises(InputError, match="votes"):
        made(name).winners(np.array(counts), SeededNoise(0))


@pytest.mark.parametrize("name", NAMES)
def test_a_budget_below_any_noise_is_refused(name):
    with pytest.raises(InputError, match="too small"):
        made(name, 1e-12)
    for parameter in (0, 2**32):
        with pytest.raises(InputError):
            plugins.load("aggregators", name).aggregator.of(parameter)


class ExactArgmax(ExponentialMechanism):
    """A mutant: no noise at all."""

    def winners(self, counts, noise):
        return counts.argmax(axis=1)


class OneNoise(NoisyCounts):
    """A mutant: all elections share the noise of the first."""

    def winners(self, counts, noise):
        return np.array(
            [super(OneNoise, self).winners(c[None], SeededNoise(3))[0] for c in counts]
        )


class OneCount(ExponentialMechanism):
    """A mutant: as if a vote that moves changed one count."""

    @property
    def epsilon(self):
        return super().epsilon / 2


class BoundedRange(PermuteAndFlip):
    """A mutant: composed as if it had a bounded range."""

    @property
    def rho(self):
        return self.epsilon**2 / 8


def test_the_contract_finds_what_is_wrong(monkeypatch):
    def planted(name, mutant):
        real = plugins.load("aggregators", name)
        monkeypatch.setattr(real, "aggregator", mutant)

    planted("exponential", ExactArgmax)
    with pytest.raises(AssertionError):
        test_each_election_has_noise_of_its_own("exponential")
    with pytest.raises(AssertionError):
        test_winners_come_as_often_as_defined("exponential", (3, 1))
    planted("laplace", OneNoise)
    with pytest.raises(AssertionError):
        test_each_election_has_noise_of_its_own("laplace")
    planted("exponential", OneCount)
    with pytest.raises(AssertionError):
        test_no_answer_is_likelier_than_is_stated("exponential", 2.0)
    planted("permute_and_flip", BoundedRange)
    with pytest.raises(AssertionError):
        test_divergence_of_every_order_is_within_rho("permute_and_flip")
