"""What a released label leaves open is drawn as public images have it, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from latentdp import InputError, Privatizer, Recipe, WeightsError
from latentdp.core.attributes import finding, labels_of, values_of
from latentdp.models.checkpoints import Checkpoint, load, save
from latentdp.models.flow.flow import load_flow
from latentdp.models.flow.population import (
    POPULATION,
    Population,
    population_of,
    with_population,
    without_population,
)
from latentdp.models.model_card.card import ModelCard
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


def test_a_row_is_drawn_alike_whatever_the_others_say():
    one, other = np.full(40, -1), np.full(40, -1)
    other[:20] = labels_of(THREE, [[-1, 1, -1]])
    drawn = [WARDS.completed(labels, SeededNoise(3)) for labels in (one, other)]
    assert np.array_equal(drawn[0][20:], drawn[1][20:])
    assert not np.array_equal(drawn[0], WARDS.completed(one, SeededNoise(4)))


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
        np.array([[0.5, 0, 1, 3]]),
    ],
)
def test_a_damaged_one_is_refused(damage):
    with pytest.raises(WeightsError, match="damaged"):
        population_of({POPULATION: damage}, THREE, "x")
    with pytest.raises(WeightsError, match="no attributes"):
        population_of({POPULATION: np.array([[0, 3]])}, (), "x")
    with pytest.raises(InputError, match="at least once"):
        Population(THREE, np.zeros((0, 3), dtype=np.int64), np.zeros(0, dtype=np.int64))


@pytest.fixture(scope="module")
def public(chests):
    """Weights that say that their images are public, with critic and population."""
    return _taught(chests, private_training=False)


def _taught(chests, **told) -> Checkpoint:
    checkpoint = attribute_checkpoint()
    card = checkpoint.card.with_entries(ModelCard(**told))
    sets = splits_as_trained(attribute_flow(), chests, only=("train", "val"))
    return with_population_and_critic(replace(checkpoint, card=card), attribute_flow(), sets)


@pytest.mark.parametrize("candidates", [1, 4])
@pytest.mark.parametrize("response", ["response", "public", "none"])
def test_releases_draw_under_labels_that_agree_with_what_is_released(
    public, candidates, response, monkeypatch
):
    flow = load_flow(public)
    assert flow.population.images == 78
    recipe = Recipe.from_preset("balanced", label=response, candidates=candidates)
    private = Privatizer(flow, recipe, SeededNoise(2))
    shown = []
    decode = flow.decode_valid
    monkeypatch.setattr(flow, "decode_valid", lambda z, y: (shown.append(y), decode(z, y))[1])
    images = np.random.default_rng(1).random((6, 16, 16)).astype(np.float32)
    given = ["Mass;Effusion;PA", None, "No Finding", "Effusion", "Mass", "No Finding"]
    release = private(images, labels=given)
    bare = load_flow(without_population(public))
    assert np.array_equal(
        release.labels, Privatizer(bare, recipe, SeededNoise(2))(images, labels=given).labels
    )
    drawn = values_of(KNOWN, np.concatenate(shown)).reshape(candidates, 6, len(KNOWN))
    said = values_of(KNOWN, release.labels)
    occurs = flow.population.values.tolist()
    for of_candidate in drawn:
        assert np.array_equal(of_candidate[said != -1], said[said != -1])
        unsaid = (said == -1).all(axis=1)
        assert all(row in occurs for row in of_candidate[unsaid].tolist())
    if response == "none":
        assert len(np.unique(drawn.reshape(-1, len(KNOWN)), axis=0)) > 1, "each row on its own"


def test_candidates_take_their_bits_one_after_the_other(public, monkeypatch):
    """However many are decoded together."""
    made = []
    for together in (1, 7, 128):
        monkeypatch.setattr("latentdp.privatizer.candidates.TOGETHER", together)
        private = Privatizer(
            load_flow(public), Recipe.from_preset("balanced", candidates=5), SeededNoise(2)
        )
        made.append(private(np.full((3, 16, 16), 0.5), labels=["Mass", None, None]).images)
    assert np.allclose(made[0], made[1], atol=1e-5)
    assert np.allclose(made[0], made[2], atol=1e-5)


def test_what_is_passed_on_whole_is_decoded_as_it_was_encoded(public, monkeypatch):
    """Nothing of a latent is drawn, and so nothing of a label is."""
    flow = load_flow(public)
    private = Privatizer(flow, Recipe.from_preset("dp-glow"), SeededNoise(3))
    assert not private.plan.resamples
    shown = []
    decode = flow.decode_valid
    monkeypatch.setattr(flow, "decode_valid", lambda z, y: (shown.append(y), decode(z, y))[1])
    private(np.full((5, 16, 16), 0.5), labels=["Mass"] * 5)
    assert np.array_equal(np.concatenate(shown), np.full(5, -1))


def test_the_critic_is_taught_images_as_they_are_drawn(public, chests):
    """Of the same images and seed, another critic than one that was taught unknown labels."""
    other = _taught(chests, private_training=True)
    assert not np.array_equal(public.tensors["critic.ratio"], other.tensors["critic.ratio"])


def test_private_images_and_classes_have_none(chests):
    for private, expected in ((False, True), (True, False), (None, False)):
        made = _taught(chests, private_training=private)
        assert (POPULATION in made.tensors) == expected
        assert (made.card.population is not None) == expected
    assert shared_flow().population is None
    assert POPULATION not in tiny_checkpoint().tensors


def test_weights_that_become_private_lose_it(public, chests, tmp_path, command):
    save(public, tmp_path / "public.safetensors")
    marked = tmp_path / "marked.safetensors"
    words = ("weights", "add-critic", tmp_path / "public.safetensors", chests)
    assert command(*words, "--out", marked, "--private-data") == 0
    assert load(str(marked)).card.population is None
    assert load(str(marked)).card.private_training
    assert load_flow(load(str(marked))).population is None
    assert command(*words, "--out", tmp_path / "again.safetensors") == 0
    assert load_flow(load(str(tmp_path / "again.safetensors"))).population is not None
