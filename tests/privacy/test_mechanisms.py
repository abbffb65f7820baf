"""One contract, all mechanisms; and broken mechanisms that the contract must catch."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp import InputError, Privatizer, Recipe
from latentdp.core import plugins
from latentdp.privacy.mechanisms.codebook import Codebook
from latentdp.privacy.noise import SeededNoise, SystemNoise
from latentdp.privacy.randomized_response import RandomisedResponse
from tests.support.contract import (
    LAWS,
    calibration_spends_the_budget,
    decoder_sees_the_released_label_only,
    repaired_latents_are_normal_again,
)
from tests.support.label_mechanism import EXACT, OfLabels
from tests.support.sweeps import diagonal

NAMES = plugins.names("mechanisms")
EXAMPLES = [
    pytest.param(example, id=f"{name}-{i}")
    for name in NAMES
    for i, example in enumerate(plugins.load("mechanisms", name).examples)
]
SMALL = [e for e in EXAMPLES if e.values[0].dimensions <= 8]
RESPONSES = [
    pytest.param(OfLabels(response=RandomisedResponse.calibrate(e, k)), id=f"response-{k}-{e}")
    for e, k in ((0.5, 2), (2.0, 5), (40.0, 3))
]
CHANCE = ("sampler_follows_the_likelihood", "bounds_are_within_the_claim")


@pytest.mark.promise(
    "Every mechanism keeps the epsilon that it claims: for the worst pairs of inputs, the "
    "odds of no output differ by more."
)
@pytest.mark.statistical  # false-alarm rate 1e-6 for each test inside a law, seeds fixed
@pytest.mark.parametrize("example", SMALL)
@pytest.mark.parametrize("law", LAWS)
def test_law(law, example):
    assert LAWS[law](example) == ""


@pytest.mark.statistical  # false-alarm rate 1e-6 for each test inside a law, seeds fixed
@pytest.mark.parametrize("law", [*CHANCE, EXACT, "randomness_is_fresh"])
@pytest.mark.parametrize("response", RESPONSES[:2])
def test_law_of_labels(law, response):
    assert LAWS[law](response) == ""


def test_a_response_that_hardly_ever_lies_still_does():
    (response,) = RESPONSES[2].values
    assert LAWS[EXACT](response) == ""
    assert response.guarantee.epsilon > 39


@pytest.mark.parametrize("example", EXAMPLES)
def test_large_ones_too(example):
    z = np.random.default_rng(0).normal(size=(2, example.dimensions))
    out = example.privatize(z, noise=SystemNoise())
    assert out.shape == z.shape
    assert np.isfinite(out).all()
    assert 0 < example.guarantee.epsilon < np.inf
    approximate = example.approximate(1e-6)
    assert approximate.epsilon <= example.guarantee.epsilon
    assert approximate.delta == 1e-6
    assert example.describe()["mechanism"] in NAMES
    assert math.fsum(n for _, n in example.parts) >= 1


@pytest.mark.parametrize(
    ("name", "epsilon", "dimensions"), diagonal(NAMES, [0.5, 8.0, 300.0], [1, 7])
)
def test_calibration_spends_the_budget_but_no_more(name, epsilon, dimensions):
    kind = plugins.load("mechanisms", name).mechanism
    assert calibration_spends_the_budget(kind, epsilon, dimensions) == ""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("epsilon", [0.0, -1.0, np.nan, np.inf])
def test_calibration_refuses_what_is_no_budget(name, epsilon):
    with pytest.raises(InputError, match="epsilon"):
        plugins.load("mechanisms", name).mechanism.calibrate(epsilon, 3)


@pytest.mark.statistical  # 6 standard errors: false-alarm rate below 1e-8 per case
@pytest.mark.parametrize(("name", "budget"), diagonal(NAMES, [(2.0, 1), (8.0, 4), (40.0, 7)]))
def test_repaired_latents_are_normal_again(name, budget):
    made = plugins.load("mechanisms", name).mechanism.calibrate(*budget)
    assert repaired_latents_are_normal_again(made) == ""


def test_an_unknown_mechanism_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match=r"there are: .*laplace"):
        plugins.load("mechanisms", "gauss")


class LeaksTheLabel(Privatizer):
    """Decodes with the true label, as CADP does: the image gives it away in full."""

    def __call__(self, images, /, *, labels=None):
        released = super().__call__(images, labels=labels)
        flow = self.flow

        class Leaking:
            def __getattr__(self, name):
                return getattr(flow, name)

            def decode_valid(self, latents, _):
                return flow.decode_valid(latents, labels)

        leaking = Privatizer(Leaking(), self.recipe, SeededNoise(0)).with_plan(self.plan)
        return replace(released, images=leaking(images, labels=labels).images)


@pytest.mark.parametrize(("kind", "leaks"), [(Privatizer, False), (LeaksTheLabel, True)])
def test_the_decoder_sees_the_released_label_only(kind, leaks, tiny_flow, images):
    recipe = Recipe.from_preset("strict", label="response", epsilon=0.5)
    found = decoder_sees_the_released_label_only(
        lambda: kind(tiny_flow, recipe, SeededNoise(0)), images
    )
    assert bool(found) == leaks


@given(st.integers(1, 9), st.integers(0, 2**32), st.booleans())
def test_a_codeword_is_a_member_of_the_subset_it_is_drawn_from(nearest, seed, tied):
    """The likelihood counts nearer words, the sampler sorts them: both mean the same subset."""
    made = Codebook(dimensions=2, size=10, nearest=nearest, lies=2**60, stages=1, gain=0.5)
    rest = np.random.default_rng(seed).normal(size=(6, 2)) * (0 if tied else 1)
    chosen = np.arange(10).repeat(6)
    rows = np.tile(rest, (10, 1))
    expected = (made.subset(rows, 0) == chosen[:, None]).any(axis=1)
    assert made._members(rows, chosen, 0).tolist() == expected.tolist()
    assert expected.sum() == 6 * nearest
