"""What a released label leaves open is drawn as public images have it, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from latentdp import InputError, Privatizer, Recipe, WeightsError
from latentdp.core.attributes import finding, labels_of, values_of
from latentdp.models.checkpoints import load, save
from latentdp.models.flow.flow import load_flow
from latentdp.models.flow.population import POPULATION, Population, population_of, with_population
from latentdp.models.training.add_ons import with_population_and_critic
from latentdp.models.training.training_data import splits_as_trained
from latentdp.privacy.noise import SeededNoise
from tests.support.attribute_flow import KNOWN, attribute_checkpoint, attribute_flow
from tests.support.tiny_flow import shared_flow, tiny_checkpoint

FALSE_ALARMS = 1e-6
THREE = (finding("Edema"), finding("Effusion"), finding("Mass"))
WARDS = Population(
    THREE,
    np.array([[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, -1], [0, 0, 1]]),
    np.array([50, 20, 10, 15, 5]),
)


@pytest.mark.parametrize(
    ("said", "shares"),
    [
        ([-1, -1, -1], {0: 0.5, 1: 0.2, 2: 0.1, 3: 0.15, 4: 0.05}),
        ([-1, 1, -1], {1: 20 / 45, 2: 10 / 45, 3: 15 / 45}),
        ([1, 1, -1], {2: 0.4, 3: 0.6}),
    ],
)
def test_combinations_are_drawn_as_often_as_they_occur(said, shares):
    n = 20_000
    drawn = WARDS.completed(np.repeat(labels_of(THREE, [said]), n), SeededNoise(1))
    rows = [WARDS.values.tolist().index(row) for row in values_of(THREE, drawn).tolist()]
    counts = np.bincount(rows, minlength=5)
    assert set(np.flatnonzero(counts)) == set(shares)
    expected = n * np.array([*shares.values()])
    assert chisquare(counts[[*shares]], expected).pvalue > FALSE_ALARMS


@given(st.lists(st.tuples(*[st.sampled_from([-1, 0, 1])] * 3), max_size=12), st.integers(0, 99))
def test_what_is_said_stays_and_the_rest_is_of_one_image_that_has_most_of_it(said, seed):
    shown = np.array(said, dtype=np.int64).reshape(-1, 3)
    labels = labels_of(THREE, shown)
    full = values_of(THREE, WARDS.completed(labels, SeededNoise(seed)))
    assert np.array_equal(labels, labels_of(THREE, shown)), "what was given is not changed"
    for before, after in zip(shown, full, strict=True):
        known = before != -1
        assert np.array_equal(after[known], before[known])
        agreeing = (WARDS.values[:, known] == before[known]).sum(axis=1)
        nearest = WARDS.values[agreeing == agreeing.max()]
        assert after[~known].tolist() in nearest[:, ~known].tolist()


def test_rows_are_drawn_independently():
    one = WARDS.completed(np.full(400, -1), SeededNoise(3))
    assert len(np.unique(one)) == 5
    assert not np.array_equal(one, WARDS.completed(np.full(400, -1), SeededNoise(4)))


def test_weights_keep_it(tmp_path):
    labels = np.random.default_rng(0).integers(-1, 500, size=300)
    counted = Population.of(KNOWN, labels)
    assert counted.images == 300
    save(with_population(attribute_checkpoint(), counted, ["clinic"]), tmp_path / "f.safetensors")
    flow = load_flow(load(str(tmp_path / "f.safetensors")))
    assert np.array_equal(flow.population.values, counted.values)
    assert np.array_equal(flow.population.counts, counted.counts)
    assert flow.card.population.images == 300
    assert flow.card.population.combinations == len(np.unique(labels))
    assert flow.card.population.sources == ("clinic",)
    assert attribute_flow().population is None, "as of older weights"


@pytest.mark.parametrize(
    "damage",
    [
        np.zeros((0, 4), dtype=np.int32),
        np.array([0, 0, 0, 3]),
        np.array([[0, 0, 3]]),
        np.array([[0, 0, 2, 3]]),
        np.array([[0, 0, 1, 0]]),
    ],
)
def test_a_damaged_one_is_refused(damage):
    with pytest.raises(WeightsError, match="damaged"):
        population_of({POPULATION: damage}, THREE, "x")
    with pytest.raises(InputError, match="at least once"):
        Population(THREE, np.zeros((0, 3), dtype=np.int64), np.zeros(0, dtype=np.int64))


@pytest.mark.parametrize("candidates", [1, 4])
@pytest.mark.parametrize("response", ["response", "public"])
def test_releases_draw_under_a_whole_label_and_say_what_they_said(candidates, response, chests):
    """One combination occurs: images are those of its label, and released labels as ever."""
    only = labels_of(KNOWN, [[0, 1, 0, 0, 1, 0, 2]])
    plain = attribute_checkpoint()
    if candidates > 1:
        sets = splits_as_trained(attribute_flow(), chests, only=("train", "val"))
        plain = with_population_and_critic(plain, attribute_flow(), sets)
    flows = [
        load_flow(with_population(plain, Population.of(KNOWN, labels)))
        for labels in (only, np.repeat(only, 9))
    ]
    recipe = Recipe.from_preset("balanced", label=response, candidates=candidates)
    images = np.random.default_rng(1).random((6, 16, 16)).astype(np.float32)
    given = ["Mass;Effusion;PA", None, "No Finding", "Effusion", "Mass", "Edema"]
    one, again = (Privatizer(f, recipe, SeededNoise(2))(images, labels=given) for f in flows)
    assert np.array_equal(one.images, again.images)
    before = Privatizer(load_flow(plain), recipe, SeededNoise(2))(images, labels=given)
    assert np.array_equal(one.labels, before.labels)
    assert not np.array_equal(one.images, before.images)


def test_private_images_and_classes_have_none(chests):
    sets = splits_as_trained(attribute_flow(), chests, only=("train", "val"))
    for private, expected in ((False, True), (True, False), (None, False)):
        checkpoint = attribute_checkpoint()
        told = checkpoint.card.with_entries(type(checkpoint.card)(private_training=private))
        made = with_population_and_critic(replace(checkpoint, card=told), attribute_flow(), sets)
        assert (POPULATION in made.tensors) == expected
        assert (made.card.population is not None) == expected
    assert shared_flow().population is None
    assert POPULATION not in tiny_checkpoint().tensors
