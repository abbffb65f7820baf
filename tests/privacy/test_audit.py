"""Bounds against their closed forms, their coverage, and the command."""

import json
import math
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from latentdp import InputError
from latentdp.core import plugins
from latentdp.privacy.audit.best_event import clopper_pearson, log_ratio
from latentdp.privacy.audit.enumeration import agreement, enumerate_exactly
from latentdp.privacy.audit.label_response import LabelResponse
from latentdp.privacy.audit.likelihood_ratios import corners, ratio_agreement
from latentdp.privacy.audit.one_run import _p_value, guessing_bound, one_run
from latentdp.privacy.audit.report import LOOKS, audit
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.mechanisms.gaussian import Gaussian
from latentdp.privacy.mechanisms.hypercube import Hypercube
from latentdp.privacy.mechanisms.laplace import Laplace
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.randomized_response import RandomisedResponse
from tests.support.sweeps import slow, some

COIN = Hypercube(dimensions=1, agree=1, lies=2**62)  # randomised response: epsilon ln 3
SMALL = Laplace(dimensions=1, clip=1.0, steps=4, base=16)


# --- Enumeration --------------------------------------------------------------------------------


@pytest.mark.parametrize("lies", [2**60, 2**62, 2**63])
def test_enumeration_finds_the_closed_form_of_randomised_response(lies):
    found = enumerate_exactly(replace(COIN, lies=lies), SeededNoise(0))
    assert found.found == pytest.approx(math.log((2**64 - lies) / lies), abs=1e-12)
    assert found.ok


def test_enumeration_at_a_delta_finds_the_balle_wang_trade_off():
    """Of a finely rounded normal variable: the closed form, from below."""
    made = Gaussian(dimensions=1, clip=1.0, steps=64, scale=128.0)
    found = enumerate_exactly(made, SeededNoise(0))
    assert found.found <= made.guarantee.epsilon
    assert found.found == pytest.approx(made.guarantee.epsilon, rel=1e-3)


def test_a_whole_is_enumerated_by_its_parts():
    one = enumerate_exactly(SMALL, SeededNoise(0)).found
    whole = enumerate_exactly(replace(SMALL, dimensions=5), SeededNoise(0))
    assert whole.found == pytest.approx(5 * one)
    assert [n for _, n in whole.parts] == [5]


def test_what_is_too_large_is_not_enumerated():
    large = Gaussian(dimensions=3, clip=1.0, steps=2, scale=6.0)
    assert enumerate_exactly(large, SeededNoise(0)) is None
    assert agreement(large, np.zeros((1, 3)), noise=SeededNoise(0)) is None


@dataclass(frozen=True, kw_only=True)
class Stated(Hypercube):
    """States other probabilities than it has."""

    factor: float

    def log_likelihood(self, latents, perturbed):
        return super().log_likelihood(latents, perturbed) + math.log(self.factor)


@pytest.mark.parametrize(
    ("factor", "flaw"), [(1.01, "add up to 1.01"), (0.5, "add up to 0.5"), (math.nan, "not a")]
)
def test_probabilities_that_are_none_are_a_flaw(factor, flaw):
    made = Stated(dimensions=1, agree=1, lies=2**62, factor=factor)
    found = enumerate_exactly(made, SeededNoise(0))
    assert flaw in found.flaw
    assert not found.ok


@dataclass(frozen=True, kw_only=True)
class Impossible(Hypercube):
    """Draws what it calls impossible."""

    def perturb(self, latents, noise):
        return super().perturb(latents, noise) + 2


def test_an_impossible_outcome_ends_the_agreement():
    made = Impossible(dimensions=1, agree=1, lies=2**62)
    assert agreement(made, np.zeros((1, 1)), noise=SeededNoise(0), trials=1000) == 0.0


def test_p_values_of_agreement_are_uniform():
    """Kolmogorov-Smirnov over 200 seeds, false-alarm rate 1e-6."""
    pair = tuple(np.array([[[0.5]], [[-1.0]]]))
    exact = [agreement(SMALL, pair[0], noise=SeededNoise(i), trials=2000) for i in range(200)]
    ratio = [ratio_agreement(SMALL, pair, noise=SeededNoise(i), trials=2000) for i in range(200)]
    assert stats.kstest(exact, "uniform").pvalue > 1e-6
    assert stats.kstest(ratio, "uniform", alternative="greater").pvalue > 1e-6, "conservative"


# --- Bounds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("epsilon", "n", "known"),
    [(1, 10**4, 0.939), (1, 10**6, 0.994), (4, 10**5, 3.93), (8, 10**6, 7.85)],
)
def test_clopper_pearson_reproduces_known_bounds(epsilon, n, known):
    """Of the event that Laplace noise leaves the clip: P = 1/2, Q = e^-epsilon / 2."""
    hits, errors = (np.array(round(n * p)) for p in (0.5, 0.5 * math.exp(-epsilon)))
    found = float(log_ratio(hits, errors, n, 0.0, 0.05))
    assert found == pytest.approx(known, abs=0.01)
    low = stats.binomtest(int(hits), n).proportion_ci(0.95, "exact").low
    high = stats.binomtest(int(errors), n).proportion_ci(0.95, "exact").high
    assert found == pytest.approx(math.log(low / high), rel=1e-9)


def test_clopper_pearson_at_the_ends():
    none, all_ = np.array(0), np.array(100)
    assert log_ratio(none, none, 100, 0.0, 0.05) == -math.inf
    assert math.isfinite(log_ratio(all_, none, 100, 0.0, 0.05))
    assert log_ratio(all_, all_, 100, 0.0, 0.05) < 0
    assert log_ratio(all_, none, 100, 0.99, 0.05) == -math.inf, "delta explains it all"


@pytest.mark.parametrize(("right", "guesses"), [(80, 100), (600, 1000), (50, 50)])
def test_guessing_bound_without_delta_inverts_the_binomial(right, guesses):
    q = stats.beta.ppf(1e-3, right, guesses - right + 1)
    found = guessing_bound(right, guesses, guesses, 0.0, 1e-3)
    assert found == pytest.approx(math.log(q / (1 - q)), abs=1e-6)


@pytest.mark.parametrize("epsilon", some([0.0, 0.5, 3.0], [0.5]))
def test_the_delta_term_is_the_papers(epsilon):
    """Appendix D of arXiv 2305.08846, term by term."""
    m, r, v, delta = 500, 300, 200, 1e-5
    q = 1 / (1 + math.exp(-epsilon))
    tail = sum(stats.binom.pmf(k, r, q) for k in range(v, r + 1))
    gained = [sum(stats.binom.pmf(v - j, r, q) for j in range(1, i + 1)) for i in range(1, v + 1)]
    alpha = max(g / i for i, g in enumerate(gained, start=1))
    expected = min(1.0, tail + 2 * m * delta * alpha)
    assert _p_value(v, r, m, epsilon, delta) == pytest.approx(expected, rel=1e-9)


def test_delta_lowers_a_bound_and_half_right_gives_none():
    assert guessing_bound(90, 100, 100, 1e-4, 0.05) < guessing_bound(90, 100, 100, 0.0, 0.05)
    assert guessing_bound(50, 100, 100, 0.0, 0.05) == 0.0


@pytest.mark.statistical  # more than 25 of 100, or 10 of 20, misses at 5 %: chance below 1e-9
@pytest.mark.parametrize(("seeds", "most"), [(20, 10), slow(100, 25)])
@pytest.mark.parametrize("bound", ["frequencies", "one run"])
@pytest.mark.parametrize("made", [COIN, SMALL, replace(COIN, lies=2**60)])
def test_bounds_hold_as_often_as_they_say(bound, made, seeds, most):
    misses, found = 0, 0.0
    for seed in range(seeds):
        noise = SeededNoise(seed)
        if bound == "frequencies":
            found = clopper_pearson(made, noise=noise, trials=2000, confidence=0.95).found
        else:
            found = one_run(made, noise=noise, canaries=2000, confidence=0.95).found
        misses += found > made.guarantee.epsilon
    assert misses <= most
    assert found > 0.3 * made.guarantee.epsilon, "and they are not empty"


def test_one_run_puts_a_canary_into_every_element():
    calls = []

    @dataclass(frozen=True, kw_only=True)
    class Counting(Laplace):
        def perturb(self, latents, noise):
            calls.append(latents.shape)
            return super().perturb(latents, noise)

    made = Counting(dimensions=4096, clip=1.0, steps=8, base=8)
    found = one_run(made, noise=SeededNoise(0), canaries=20_000)
    assert calls == [(2, 4096), (5, 4096)], "a pilot, and one run"
    assert 0.8 < found.found / made.guarantee.epsilon < 1


def test_a_single_element_is_the_worst_pair_of_an_l1_ball():
    first, second = corners(3)
    assert (np.abs(first[0]) == 1e9).all()
    assert np.count_nonzero(second[0]) == 1
    assert len(corners(1)) == 1


@pytest.mark.parametrize(
    ("given", "message"), [({"trials": 999}, "trials"), ({"confidence": 1.0}, "confidence")]
)
def test_too_little_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        audit(SMALL, noise=SeededNoise(0), **given)


# --- The report and the command -----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Half(Laplace):
    @property
    def guarantee(self):
        return Guarantee(epsilon=super().guarantee.epsilon / 2)


def test_a_report_names_what_contradicts_the_claim():
    looks = []
    made = Half(dimensions=2, clip=1.0, steps=8, base=8)
    report = audit(made, noise=SeededNoise(0), trials=5000, looked=lambda: looks.append(1))
    assert len(looks) == LOOKS
    assert len(report.problems) == 3
    assert all("exceeds the claim" in problem for problem in report.problems)
    assert json.loads(json.dumps(report.describe()))["problems"] == list(report.problems)


def test_a_report_names_a_flaw_and_a_wrong_sampler():
    made = Stated(dimensions=1, agree=1, lies=2**62, factor=1.5)
    problems = audit(made, noise=SeededNoise(0), trials=5000).problems
    assert any("meaningless: probabilities add up to 1.5" in p for p in problems)
    assert any("does not follow its formula" in p for p in problems)


def test_the_command_shows_a_table(command, capsys):
    assert command("audit", "--mechanism", "laplace", "--trials", "2000") == 0
    out = capsys.readouterr().out
    assert "laplace, 3 dims" in out
    assert "holds" in out
    assert "can refute a claim, never prove it" in " ".join(out.split())


def test_the_command_audits_what_a_budget_would_give(command, capsys):
    arguments = ["--mechanism", "hypercube", "--mechanism", "gaussian", "--epsilon", "2"]
    assert command("audit", *arguments, "--dimensions", "3", "--trials", "2000", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(t["mechanism"], t["dimensions"], t["delta"]) for t in told] == [
        ("hypercube", 3, 0.0),
        ("gaussian", 3, 1e-6),
        ("gaussian", 3, 0.01),
    ]
    assert all(t["clopper_pearson_bound"] <= t["claimed_epsilon"] <= 2 for t in told)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mechanism", "none"], "there are: codebook"),
        (["--trials", "10"], "at least 1000 trials"),
        (["--confidence", "2"], "confidence"),
        (["--mechanism", "vmf", "--epsilon", "-1"], "epsilon"),
        (["--mechanism", "vmf", "--epsilon", "1", "--dimensions", "0"], "dimension"),
    ],
)
def test_the_command_refuses_in_one_line(command, capsys, arguments, message):
    assert command("audit", *arguments) == 2
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


def test_a_broken_claim_is_exit_code_1_and_a_line(command, capsys, monkeypatch):
    module = SimpleNamespace(examples=(Half(dimensions=1, clip=1.0, steps=8, base=8),))
    monkeypatch.setattr(plugins, "load", lambda kind, name: module)
    assert command("audit", "--mechanism", "half", "--trials", "5000") == 1
    told = capsys.readouterr()
    assert "BROKEN" in told.out
    assert "latentdp: laplace: the exact loss" in told.err


@pytest.mark.parametrize("truth", range(3))
def test_a_response_that_rarely_lies_agrees_with_its_formula_whatever_the_truth(truth):
    """Few draws lie, and the truth may stand between two lies. False alarm: 1e-6."""
    response = LabelResponse.of(RandomisedResponse.calibrate(6.0, 3))
    p = agreement(response, np.full((1, 1), float(truth)), noise=SeededNoise(truth), trials=5000)
    assert p is not None
    assert 1e-6 < p <= 1
