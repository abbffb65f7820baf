"""One contract for all methods of private training, and broken ones that it catches."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from latentdp.core import plugins
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.mechanisms.base import clip_norm
from latentdp.privacy.noise import SeededNoise
from latentdp.private_training.accounting import patient_guarantee
from latentdp.private_training.methods import _counted, objective
from latentdp.private_training.methods import head as head_module
from latentdp.private_training.methods._regularised import LENGTH, TOLERANCE, MeanImages, minimum
from latentdp.private_training.methods.base import KIND
from latentdp.private_training.methods.head import FullBatchHead
from latentdp.private_training.methods.output import OutputPerturbation
from latentdp.private_training.methods.prototypes import Prototypes
from latentdp.private_training.methods.sgd import SampledGradients, coins
from latentdp.private_training.schedule import SCHEDULES
from latentdp.synthesis.head import HeadData
from latentdp.synthesis.vectors import PatientImages
from tests.support.private_training import LAWS, RECIPE, Spy, learnt
from tests.support.synthesis import patients, public

METHODS = [plugins.load(KIND, name).method for name in plugins.names(KIND)]
EACH = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)


@EACH
@pytest.mark.parametrize("law", LAWS)
def test_law(method, law):
    if law == "a_sum_follows_each_patient_alone" and method is OutputPerturbation:
        law = "the_classifier_follows_the_answers_alone"  # a minimum is no sum
    assert LAWS[law](method) == ""


@EACH
def test_it_proves_its_sensitivity_and_says_where_it_comes_from(method):
    text = __import__(method.__module__, fromlist=["x"]).__doc__
    assert "Sensitivity." in text
    assert method.title
    assert method.source
    assert plugins.load(KIND, method.name).method is method


@EACH
@pytest.mark.parametrize(
    "epsilon",
    [pytest.param(0.5, marks=pytest.mark.slow), pytest.param(2.0, marks=pytest.mark.slow), 8.0],
)
def test_a_plan_costs_what_was_asked_for_and_no_more(method, epsilon):
    for schedule in method.schedules:
        recipe = type(RECIPE)(
            method=method.name,
            schedule=schedule,
            epsilon=epsilon,
            delta=1e-5,
            images_per_patient=4,
            findings=("a", "b"),
        )
        releases = method.plan(recipe)
        spent = patient_guarantee(releases, recipe.delta, Relation.REPLACE_ONE)
        assert 0.99 * epsilon < spent.epsilon <= epsilon
        less = patient_guarantee(releases, recipe.delta, Relation.ADD_REMOVE)
        assert less.epsilon <= spent.epsilon


def test_a_schedule_composes_as_the_sum_of_inverse_variances():
    assert FullBatchHead.schedules == SCHEDULES
    for schedule in SCHEDULES:
        recipe = type(RECIPE)(
            method="head", schedule=schedule, epsilon=2.0, delta=1e-5, images_per_patient=4,
            findings=("a",),
        )  # fmt: skip
        made = FullBatchHead.plan(recipe)
        inverse = math.fsum(r.rounds * (r.grid / r.scale) ** 2 for r in made)
        if schedule == "constant":
            whole = inverse
        assert inverse == pytest.approx(whole, rel=1e-6)
    scales = [r.scale / r.grid for r in made[1:]]
    assert scales == sorted(scales, reverse=True)
    assert scales[0] == pytest.approx(4 * scales[-1], rel=1e-6)


@pytest.mark.parametrize("images", [1, 30])
def test_a_patients_loss_has_the_stated_gradient_at_any_weights(images):
    """What the proof of objective and output perturbation rests on, at extreme weights too."""
    head = OutputPerturbation(public(), RECIPE, OutputPerturbation.plan(RECIPE))._head
    rng = np.random.default_rng(1)
    for size in (0.0, 1.0, 1e3, 1e9):
        people = MeanImages.of(patients([images] * 5, 2), head)
        weights = size * rng.normal(size=head.weights.shape)
        odds = people.features @ weights.T
        slopes = 1 / (1 + np.exp(-np.clip(odds, -700, 700))) - people.shares
        lengths = np.linalg.norm(slopes[:, :, None] * people.features[:, None, :], axis=(1, 2))
        assert lengths.max() <= math.sqrt(len(RECIPE.findings))
    assert LENGTH > 1


def test_whoever_was_not_read_adds_no_loss():
    head = OutputPerturbation(public(), RECIPE, OutputPerturbation.plan(RECIPE))._head
    images = patients([2, 2], 3)
    unread = PatientImages(**(vars(images) | {"read": np.array([True, True, False, False])}))
    people = MeanImages.of(unread, head)
    assert people.features[0].any()
    assert not people.features[1].any()


def test_coins_are_fair_to_the_stated_probability():
    """Of 200,000 coins; alarms falsely once in a million."""
    drawn = np.concatenate([coins(SeededNoise(seed), 50_000) for seed in range(4)])
    assert abs(drawn.mean() - 0.2) < 4.9 * math.sqrt(0.16 / 200_000)


# --- Broken ones, each of which a law must catch ------------------------------------------------


class _PerImageData(HeadData):
    """Clips each image instead of each patient."""

    def records(self, head, known):
        for part in self.parts:
            alone = PatientImages(**(vars(part) | {"patients": np.arange(len(part.patients))}))
            lonely = HeadData()
            lonely.parts = [alone]
            yield from lonely.records(head, known)


class PerImage(FullBatchHead):
    def __init__(self, *given):
        super().__init__(*given)
        self._data = _PerImageData()


class PerImagePrototypes(Prototypes):
    def records(self, images):
        alone = PatientImages(**(vars(images) | {"patients": np.arange(len(images.patients))}))
        return super().records(alone)


class LeaksSize(FullBatchHead):
    """Divides by the true number of patients."""

    def learn(self, noise):
        real = head_module.NoisyCount

        class Exact(real):
            def __init__(self, data, release, noise):
                super().__init__(data, release, noise)
                self.patients = float(_counted.patients_of(data))

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(head_module, "NoisyCount", Exact)
            return super().learn(noise)


class ReusesNoise(FullBatchHead):
    """Draws the same bits for each round."""

    def learn(self, noise):
        class Stuck(SeededNoise):
            def words(self, n):
                self._calls = 0
                return super().words(n)

        return super().learn(Stuck(1))


class OneMoreRound(FullBatchHead):
    def __init__(self, *given):
        super().__init__(*given)
        self._rounds.append(self._rounds[-1])


class Whispers(FullBatchHead):
    """Less noise than was paid for."""

    def __init__(self, *given):
        super().__init__(*given)
        less = [type(n)(grid=n.grid, scale=n.scale / 2) for n in self._rounds]
        self._rounds = less


class LooksAtMates(SampledGradients):
    """Clips by the patients of the step."""

    def records(self, weights, hidden, noise):
        for records in super().records(weights, hidden, noise):
            yield records / max(1, len(records))


class ForgetsRegularisation(OutputPerturbation):
    """Noise for a minimum that is held ten times as tightly as it is."""

    def cells(self, data, regularisation):
        cells, cell = super().cells(data, regularisation)
        return 10 * cells, cell


class KeepsImages(objective.ObjectivePerturbation):
    """A loss for each image."""

    def people(self, images):
        alone = PatientImages(**(vars(images) | {"patients": np.arange(len(images.patients))}))
        return super().people(alone)


BROKEN = {
    PerImage: "one_patient_moves_each_release_by_what_is_stated",
    PerImagePrototypes: "one_patient_moves_each_release_by_what_is_stated",
    ForgetsRegularisation: "one_patient_moves_each_release_by_what_is_stated",
    KeepsImages: "one_patient_moves_each_release_by_what_is_stated",
    LooksAtMates: "a_sum_follows_each_patient_alone",
    LeaksSize: "the_classifier_follows_the_answers_alone",
    OneMoreRound: "what_is_released_is_what_was_paid_for",
    Whispers: "what_is_released_is_what_was_paid_for",
    ReusesNoise: "noise_is_fresh_and_as_loud_as_stated",
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda kind: kind.__name__)
def test_a_law_catches_what_breaks_it(broken):
    assert LAWS[BROKEN[broken]](broken) != ""


def test_the_random_term_of_an_objective_is_not_what_comes_out():
    """It would give the patients away: with the minimum, their gradients follow from it."""
    kind = objective.ObjectivePerturbation
    spy = Spy(scripted=False)
    taught, made = learnt(kind, [patients([1] * 40, 4)], spy)
    released = np.concatenate([t.ravel() for t in taught.reader.tensors().values()])
    linear = made._linear(SeededNoise(0))
    assert not np.isin(np.round(linear, 9), np.round(released, 9)).any()


@settings(max_examples=25)
@given(st.integers(0, 2**20), st.sampled_from((1e-2, 0.3, 10.0)), st.floats(0, 50))
def test_the_minimum_is_found_as_closely_as_the_proofs_say(seed, regularisation, noise):
    """Also where findings can be told apart without a mistake, and with a loud random term."""
    rng = np.random.default_rng(seed)
    x = clip_norm(rng.normal(size=(40, 6)), 1.0, 2)
    y = (x[:, :2] > 0).astype(float)
    y[rng.random(40) < 0.2] = 0.5
    linear = noise * rng.normal(size=(2, 6))
    w = minimum(MeanImages(features=x, shares=y), regularisation, linear)
    gradient = (expit(x @ w.T) - y).T @ x + regularisation * w + linear
    assert np.linalg.norm(gradient) <= TOLERANCE
