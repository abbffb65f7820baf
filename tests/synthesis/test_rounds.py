"""Methods that ask a cohort in rounds: one contract for all, and broken ones that it catches."""

from dataclasses import replace

import numpy as np
import pytest

from latentdp.core import plugins
from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import Rounds
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.curator import Curator
from latentdp.synthesis.head import HeadData
from latentdp.synthesis.learn import Learner
from latentdp.synthesis.methods.evolve import PrivateEvolution
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.synthesis.vectors import PatientImages
from tests.support.synthesis import COARSE, FINDINGS, SIDE, patients, public, render
from tests.support.synthesis_rounds import (
    LAWS,
    one_patient_moves_each_round_by_what_is_stated,
)

NAMES = plugins.names("synthesis methods")
METHODS = [plugins.load("synthesis methods", name).method for name in NAMES]
EACH = pytest.mark.parametrize("method", [m for m in METHODS if m.steps], ids=lambda m: m.name)
QUIET = NoisySum(grid=2**16, scale=1.0)


@EACH
@pytest.mark.parametrize("law", LAWS)
def test_law(method, law):
    assert LAWS[law](method) == ""


@EACH
def test_it_says_what_it_asks(method):
    assert method.asked
    assert "rounds" in __import__(method.__module__, fromlist=["x"]).__doc__


def test_methods_without_rounds_ask_nothing():
    assert [m.asked for m in METHODS if not m.steps] == [""] * sum(not m.steps for m in METHODS)


@pytest.mark.parametrize("epsilon", [0.5, 2.0, 8.0])
def test_a_plan_pays_for_all_rounds(epsilon):
    plan = SynthesisPlan.calibrate(epsilon, 1e-5, declared=True, steps=4)
    spent = plan.guarantee(Relation.REPLACE_ONE)
    assert 0.999 * epsilon < spent.epsilon <= epsilon
    without = replace(plan, steps=None)
    assert without.guarantee(Relation.REPLACE_ONE).epsilon < 0.95 * epsilon
    mu = plan.accountant.mu(Relation.ADD_REMOVE)
    parts = [plan.statistics.mu(Relation.ADD_REMOVE), plan.steps.mu(Relation.ADD_REMOVE)]
    assert parts == pytest.approx([mu * 0.1**0.5, mu * 0.4**0.5], rel=1e-6)


def test_a_curator_answers_no_more_often_than_was_paid_for():
    curator = Curator([patients([1, 2], 0)], Rounds(QUIET, 1), SeededNoise(0))

    def question(images):
        return np.ones((len(images.patients), 1))

    assert curator.ask(question, 1).sums == pytest.approx([2.0], abs=0.01)
    with pytest.raises(InputError, match="more often"):
        curator.ask(question, 1)
    with pytest.raises(InputError, match="more often"):
        Curator([], None, SeededNoise(0)).ask(question, 1)


def test_what_is_kept_for_rounds_has_no_latents():
    data = HeadData()
    data.add(patients([1, 2], 0))
    (kept,) = data.parts
    assert kept.latents.shape == (3, 0)


def cohort(n: int) -> PatientImages:
    """Images whose first 16 latents lie around 1.5 or -1.5, half of them each."""
    rng = np.random.default_rng(0)
    latents = 0.3 * rng.normal(size=(n, COARSE))
    latents[:, : SIDE**2] += np.where(np.arange(n) % 2, 1.5, -1.5)[:, None]
    return PatientImages(
        latents=latents,
        thumbnails=render(latents),
        findings=np.eye(FINDINGS, dtype=bool)[np.arange(n) % 2],
        read=np.ones(n, dtype=bool),
        patients=np.arange(n),
    )


def test_candidates_come_to_look_like_the_cohort():
    plan = SynthesisPlan(
        delta=1e-5,
        names_delta=0.0,
        statistics=QUIET,
        gradients=QUIET,
        steps=Rounds(NoisySum(grid=1024, scale=2048.0), PrivateEvolution.steps),
    )
    learner = Learner(PrivateEvolution(public(), FINDINGS), plan, declared=True)
    learner.add(cohort(600))
    mixture = learner.release(SeededNoise(0)).mixture
    coarse = mixture.means[:, : SIDE**2].mean(axis=1)
    votes = mixture.weights
    assert votes[coarse > 0].sum() == pytest.approx(0.5, abs=0.15)
    assert votes @ np.abs(coarse) > 0.3, "of the flow's own samples it is 0.2"
    drawn = mixture.draw(SeededNoise(1), 500, COARSE)
    assert drawn[:, SIDE**2 :].std() == pytest.approx(1, abs=0.2)


class PerImage(PrivateEvolution):
    """Counts the votes of all images of a patient."""

    def learn(self, statistics, known, curator):
        ask = curator.ask
        curator.ask = lambda question, size: ask(
            lambda images: len(images.patients) * question(images), size
        )
        return super().learn(statistics, known, curator)


class Peeks(PrivateEvolution):
    """Starts from an image of the cohort."""

    def learn(self, statistics, known, curator):
        mixture = super().learn(statistics, known, curator)
        return replace(mixture, means=mixture.means + curator.cohort[0].latents[0].mean())


class Standardises(PrivateEvolution):
    """Votes follow the mean of those who are asked together."""

    def learn(self, statistics, known, curator):
        ask = curator.ask
        curator.ask = lambda question, size: ask(
            lambda images: question(images) / len(set(images.patients)), size
        )
        return super().learn(statistics, known, curator)


class Insists(PrivateEvolution):
    """Asks once more than is paid for."""

    def learn(self, statistics, known, curator):
        curator.ask(lambda images: np.ones((len(images.patients), 1)), 1)
        return super().learn(statistics, known, curator)


BROKEN = {
    "the_generator_follows_the_answers_alone": Peeks,
    "an_answer_follows_each_patient_alone": Standardises,
    "no_more_is_asked_than_is_said": Insists,
}


@pytest.mark.parametrize("law", BROKEN)
def test_a_law_catches_what_breaks_it(law):
    assert LAWS[law](BROKEN[law]) != ""


def test_votes_of_each_image_are_caught_and_the_curator_holds_them_to_their_length():
    law = one_patient_moves_each_round_by_what_is_stated
    assert law(PerImage, clipped=False) != ""
    assert law(PerImage) == ""
