"""Rivals, controls and our presets as methods: one contract for all, then what each one is."""

import math

import numpy as np
import pytest

from latentdp.core.plugins import load, names
from latentdp.errors import InputError
from latentdp.evaluation.methods.controls import (
    LabelMean,
    NoiseOnly,
    PriorSample,
    Raw,
)
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.evaluation.methods.prichexy_net import Deformation
from latentdp.evaluation.methods.privacy_net import PrivacyNet
from latentdp.privacy.noise import SeededNoise
from latentdp.privatizer import Privatizer
from latentdp.recipe import PRESETS
from tests.support.contract import Replay
from tests.support.methods import LABELS, cohort, fit, group, shrunk

ROWS = {"dp_pix": 3, "cadp": 2, "controls": 5, "presets": len(PRESETS) - 2}
METHODS = [f"{kind}/{i}" for kind in names("methods") for i in range(ROWS.get(kind, 1))]


@pytest.fixture(scope="module")
def method(request, tiny_flow, tmp_path_factory):
    """Not to be changed: all tests of the contract are held against it, so that it learns once."""
    kind, _, number = request.param.partition("/")
    made = shrunk(group(kind, tiny_flow)[int(number)])
    return fit(made, tmp_path_factory.mktemp("method")) if made.learns else made


def test_the_contract_is_run_over_everything(tiny_flow):
    kinds = names("methods")
    everything = [f"{kind}/{i}" for kind in kinds for i in range(len(group(kind, tiny_flow)))]
    assert sorted(METHODS) == sorted(everything)
    rows = [method.name for kind in kinds for method in group(kind, tiny_flow)]
    assert len(set(rows)) == len(rows), "names of rows are unique"


@pytest.mark.parametrize("method", METHODS, indirect=True)
def test_several_copies_are_those_of_their_noises(method, images):
    """An image that is encoded once for all its copies is still privatized anew for each."""
    private, labels = method.privatize_many(images, LABELS, [SeededNoise(1), SeededNoise(2)])
    for i, seed in enumerate((1, 2)):
        alone, released = method.privatize(images, LABELS, SeededNoise(seed))
        assert np.allclose(private[i], alone, atol=1e-6)
        assert np.array_equal(labels[i], released)


@pytest.mark.parametrize("method", METHODS, indirect=True)
def test_images_come_out_with_labels_that_are_released(method, images):
    before = images.copy()
    private, released = method.privatize(images, LABELS, SeededNoise(1))
    assert private.shape == images.shape
    assert private.dtype == np.float32
    assert private.min() >= 0
    assert private.max() <= 1
    assert released.shape == LABELS.shape
    assert released.dtype == np.int64
    assert released.min() >= -1
    assert np.array_equal(images, before)
    assert method.name
    assert method.title


@pytest.mark.parametrize("method", METHODS, indirect=True)
def test_the_same_noise_gives_the_same(method, images):
    one, other = (method.privatize(images, LABELS, SeededNoise(2)) for _ in range(2))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])


@pytest.mark.parametrize("method", [m for m in METHODS if m != "cadp/0"], indirect=True)
def test_each_image_is_on_its_own(method, images):
    among, labels = method.privatize(images, LABELS, Replay())
    alone, label = method.privatize(images[:1], LABELS[:1], Replay())
    assert np.abs(alone[0] - among[0]).max() < 1e-3
    assert label[0] == labels[0]


@pytest.mark.parametrize("method", METHODS, indirect=True)
def test_no_image_gives_no_image(method, images):
    private, released = method.privatize(images[:0], LABELS[:0], SeededNoise(1))
    assert private.shape == (0, 16, 16)
    assert released.shape == (0,)


@pytest.mark.parametrize("method", METHODS, indirect=True)
def test_what_protects_all_releases_no_true_label(method, images):
    """Where the guarantee is said to be of everything, labels are noisy or absent."""
    if not method.protects_all:
        return
    assert method.guarantee is not None
    assert method.guarantee.secure
    labels = np.zeros(200, dtype=np.int64)
    _, released = method.privatize(np.repeat(images, 40, axis=0), labels, SeededNoise(4))
    assert (released != labels).any()


@pytest.mark.parametrize("cls", [LabelMean, Deformation, PrivacyNet])
def test_what_learns_must_learn_first(cls, images):
    assert cls.learns
    with pytest.raises(InputError, match="fitted first"):
        cls().privatize(images, LABELS, SeededNoise(1))


def test_raw_is_the_image_and_the_label(images):
    private, released = Raw().privatize(images, LABELS, SeededNoise(0))
    assert np.array_equal(private, images)
    assert np.array_equal(released, LABELS)
    assert Raw().guarantee is None
    assert not Raw().protects_all


@pytest.mark.parametrize("preset", ["balanced", "strict", "cadp", "dp-glow"])
def test_a_prior_sample_has_the_label_and_nothing_of_the_image(tiny_flow, images, preset):
    like = PresetMethod(preset, tiny_flow)
    method = PriorSample(like)
    one = method.privatize(images, LABELS, SeededNoise(3))
    other = method.privatize(1 - images, LABELS, SeededNoise(3))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])
    assert len({image.tobytes() for image in one[0]}) == len(images), "each is a fresh one"
    response = like.privatizer.plan.response
    epsilon = response.guarantee.epsilon if response else 0.0
    assert method.guarantee.noised_part.epsilon == pytest.approx(epsilon, abs=1e-9)
    assert method.protects_all == (preset != "cadp")
    assert like.privatizer.plan.blocks != method.privatizer.plan.blocks or preset == "strict"


def test_a_prior_sample_of_a_public_label_tells_it(tiny_flow, images):
    public = next(
        m
        for m in load("methods", "controls").examples_for(tiny_flow)
        if m.name == "prior-sample-public-label"
    )
    assert np.array_equal(public.privatize(images, LABELS, SeededNoise(0))[1], LABELS)
    assert not public.protects_all


def test_label_means_are_of_labels_alone(tmp_path, images):
    train = cohort()
    method = fit(LabelMean(deviation=0.0), tmp_path, train)
    one = method.privatize(images, LABELS, SeededNoise(0))
    assert np.array_equal(one[0], method.privatize(1 - images, LABELS, SeededNoise(0))[0])
    assert np.array_equal(one[1], LABELS)
    assert one[0][0] == pytest.approx(train.images[train.labels == 0].mean(axis=0))
    assert one[0][1] == pytest.approx(train.images[train.labels == 1].mean(axis=0))
    for unknown in (2, 3):  # a label that training did not have, and none
        assert one[0][unknown] == pytest.approx(train.images.mean(axis=0))
    assert method.guarantee is None


def test_noise_says_nothing(images):
    method = NoiseOnly()
    one, other = (method.privatize(x, LABELS, SeededNoise(0))[0] for x in (images, 1 - images))
    assert np.array_equal(one, other)
    assert method.guarantee.epsilon == 0
    assert method.protects_all


def test_a_preset_is_the_privatizer_with_the_given_noise(tiny_flow, images):
    method = PresetMethod("balanced", tiny_flow)
    direct = Privatizer(tiny_flow, method.recipe, SeededNoise(9))(images, labels=LABELS)
    private, released = method.privatize(images, LABELS, SeededNoise(9))
    assert np.array_equal(private, direct.images)
    assert np.array_equal(released, direct.labels)
    assert method.guarantee.epsilon == pytest.approx(8, rel=0.01)
    assert method.guarantee.secure, "the stated guarantee is that of real noise"
    assert method.privatizer.noise.secure, "the given noise does not stay"


def test_presets_are_ours_without_those_that_stand_for_rivals(tiny_flow):
    found = {method.name for method in load("methods", "presets").examples_for(tiny_flow)}
    assert found == set(PRESETS) - {"dp-glow", "cadp"}


@pytest.mark.parametrize(
    ("preset", "changes", "epsilon"),
    [
        ("balanced", {"label": "response"}, 8),
        ("balanced", {"label": "public"}, math.inf),
        ("balanced", {"label": "none", "keep_label_dims": 1}, math.inf),
        ("empirical", {"resample_identity": 2, "keep_label_dims": 1}, math.inf),
    ],
)
def test_where_something_is_released_exactly_nothing_is_guaranteed(
    tiny_flow, preset, changes, epsilon
):
    method = PresetMethod(preset, tiny_flow, **changes)
    assert round(method.guarantee.epsilon, 2) == epsilon
    assert method.protects_all == (changes.get("label") == "response")


def test_changes_of_a_preset_reach_its_recipe(tiny_flow):
    method = PresetMethod("balanced", tiny_flow, name="balanced-2", epsilon=2.0)
    assert method.name == "balanced-2"
    assert method.guarantee.epsilon == pytest.approx(2, rel=0.01)
    with pytest.raises(InputError, match="no preset"):
        PresetMethod("nothing", tiny_flow)
