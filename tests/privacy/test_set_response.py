"""Randomised response of a set: its epsilon by enumeration, and its distribution."""

from itertools import product
from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp import InputError
from latentdp.core.attributes import Attribute, finding, label_count, labels_of, values_of
from latentdp.privacy.audit.enumeration import agreement, enumerate_exactly
from latentdp.privacy.audit.set_of_answers import SetOfAnswers, mechanism_of
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.plan import Action, Block, Plan
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.privacy.set_response import AttributeResponse, SetResponse

KNOWN = (finding("Edema"), finding("Mass"), Attribute("age", ("18-34", "35-49", "50+")))
SETS = [("Mass",), ("Edema", "age"), ("Edema", "Mass", "age")]


@given(st.floats(1e-2, 20), st.sampled_from(SETS))  # beyond, a word holds few lies to choose from
def test_a_set_spends_the_budget_but_no_more(epsilon, released):
    made = SetResponse.calibrate(epsilon, KNOWN, released)
    assert made.guarantee.epsilon <= epsilon
    assert made.guarantee.epsilon == pytest.approx(epsilon, rel=1e-9)
    exactly = sum(part.response.guarantee.epsilon for part in made.parts)
    assert made.guarantee.epsilon >= exactly, "the sum is rounded up"


@pytest.mark.parametrize("released", SETS)
@pytest.mark.parametrize("epsilon", [0.3, 2.0, 6.0])
def test_the_epsilon_is_the_largest_log_ratio_of_any_two_labels(epsilon, released):
    """Of all pairs of labels and all answers, in integers; and of none it is exceeded."""
    made = SetResponse.calibrate(epsilon, KNOWN, released)
    sizes = [part.response.classes for part in made.parts]

    def weight(truth, answer):
        """2 ** 64 times as probable, times what a lie is shared among."""
        product_of = 1
        for part, a, b in zip(made.parts, truth, answer, strict=True):
            k, told = part.response.classes, part.response.threshold
            product_of *= told * (k - 1) if a == b else 2**64 - told
        return product_of

    sets = list(product(*map(range, sizes)))
    largest = max(
        weight(one, answer) / weight(other, answer)
        for one in sets
        for other in sets
        for answer in sets
    )
    claim = made.guarantee.epsilon
    assert log(largest) == pytest.approx(claim, rel=1e-9)
    assert largest <= exp(claim) * (1 + 1e-12)
    found = enumerate_exactly(SetOfAnswers.of(made), SeededNoise(1))
    assert found.ok
    assert found.found == pytest.approx(claim, rel=1e-6)


def test_the_sampler_has_the_distribution_that_it_states():
    mechanism = mechanism_of(SetResponse.calibrate(3.0, KNOWN, ["Edema", "age"]))
    p = agreement(mechanism, np.array([[1.0, 2.0]]), noise=SeededNoise(2), trials=20_000)
    assert p is not None
    assert p > 1e-4  # false alarms: one in ten thousand seeds


def test_the_likelihood_sums_to_one_for_known_and_for_unknown_labels():
    made = SetResponse.calibrate(2.0, KNOWN, ["Mass", "age"])
    answers = labels_of(KNOWN, [(-1, *rest) for rest in product(range(2), range(3))])
    truths = np.arange(-1, label_count(KNOWN))
    logs = made.log_likelihood(truths[:, None], answers[None])
    assert np.allclose(np.exp(logs).sum(axis=1), 1)
    assert np.allclose(logs[0], -log(6)), "of what is unknown every answer is alike"


def test_nothing_of_what_is_not_released_is_in_the_answer():
    made = SetResponse.calibrate(5.0, KNOWN, ["Mass"])
    answers = made.respond(np.arange(-1, label_count(KNOWN)), SeededNoise(3))
    values = values_of(KNOWN, answers)
    assert (values[:, [0, 2]] == -1).all()
    assert set(values[:, 1]) == {0, 1}


def test_a_plan_survives_its_card():
    made = SetResponse.calibrate(2.0, KNOWN, ["Edema", "age"])
    block = Block(action=Action.RESAMPLE, size=4)
    plan = Plan(d=4, blocks=(block,), label=LabelRelease.RESPONSE, response=made)
    again = Plan.from_card(plan.describe())
    assert again.guarantee == plan.guarantee
    assert again.describe() == plan.describe()
    assert plan.guarantee.epsilon < inf


def test_what_is_no_set_is_refused():
    with pytest.raises(InputError, match="Edema, Mass, age"):
        SetResponse.calibrate(1.0, KNOWN, ["Nodule"])
    with pytest.raises(InputError, match="at least one"):
        SetResponse.calibrate(1.0, KNOWN, [])
    mass, age = SetResponse.calibrate(1.0, KNOWN, ["Mass", "age"]).parts
    for parts in ((age, mass), (mass, mass)):
        with pytest.raises(InputError, match="in order"):
            SetResponse(attributes=KNOWN, parts=parts)
    with pytest.raises(InputError, match="among the values of Mass"):
        SetResponse(
            attributes=KNOWN, parts=(AttributeResponse(name="Mass", response=age.response),)
        )
