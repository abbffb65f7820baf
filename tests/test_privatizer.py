from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from latentdp import Guarantee, InputError, Privatizer, Recipe, WeightsError
from latentdp.data.dicom.profile import Profile
from latentdp.models.flow.flow import Flow
from latentdp.privacy.noise import SeededNoise


def make(flow, preset="balanced", seed=0, **changes) -> Privatizer:
    return Privatizer(flow, Recipe.from_preset(preset, **changes), SeededNoise(seed))


def test_release_has_the_shape_and_range_of_images(tiny_flow, images):
    release = Privatizer(tiny_flow, Recipe.from_preset("balanced", label="none"))(images)
    assert release.images.shape == images.shape
    assert release.images.dtype == np.float32
    assert release.images.min() >= 0
    assert release.images.max() <= 1
    assert release.valid.all()
    assert (release.labels == -1).all()
    assert release.guarantee.secure
    assert release.guarantee.epsilon == pytest.approx(8, rel=0.01)


def test_a_seed_voids_the_guarantee(tiny_flow, images):
    release = make(tiny_flow)(images)
    assert "NOT PRIVATE" in str(release.guarantee)
    assert not release.approximate.secure


@pytest.mark.promise("Where nothing is spent, an output says nothing of its source.")
def test_without_label_and_directions_the_output_says_nothing_of_the_image(tiny_flow, images):
    one = make(tiny_flow, "strict", label="none")(images)
    other = make(tiny_flow, "strict", label="none")(1 - images)
    assert np.array_equal(one.images, other.images)
    assert one.guarantee.epsilon == 0


@pytest.mark.promise("Where layout is kept, all else of an image is drawn anew.")
@pytest.mark.parametrize("keep_layout", [0, 4])
def test_images_that_agree_in_what_is_kept_are_released_alike(tiny_flow, images, keep_layout):
    """Whatever the rest of the source was: also an image of another patient."""
    maker = make(tiny_flow, "empirical", keep_layout=keep_layout, resample_identity=8)
    plan, labels = maker.plan, np.arange(len(images)) % 3
    coordinates = plan.coordinates(maker.encode(images, labels))
    other = plan.coordinates(maker.encode(1 - images[::-1], labels))
    other[:, : plan.keeps] = coordinates[:, : plan.keeps]
    one, two = (
        maker.with_noise(SeededNoise(3)).from_latents(plan.basis.inverse(x), labels).images
        for x in (coordinates, other)
    )
    assert one == pytest.approx(two, abs=1e-5)
    other[:, plan.keeps - 1] += 1
    moved = maker.with_noise(SeededNoise(3)).from_latents(plan.basis.inverse(other), labels)
    assert np.abs(moved.images - one).max() > 1e-3, "and what is kept is seen"


def test_the_decoder_sees_the_released_label_only(tiny_flow, images):
    """Whatever the true label, the same released label gives the same image."""

    class AlwaysOne:
        guarantee = Guarantee(epsilon=0.5)

        def respond(self, labels, noise):
            return np.ones_like(labels)

    found = []
    for true in range(3):
        made = make(tiny_flow, "strict", label="response")
        made = made.with_plan(replace(made.plan, response=AlwaysOne()))
        found.append(made(images, labels=np.full(len(images), true)).images)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    unknown = make(tiny_flow, "strict", label="none")(images).images
    assert not np.array_equal(found[0], unknown), "the label must reach the decoder at all"


@pytest.mark.promise("A label that is not released changes no pixel.")
def test_a_label_that_is_not_released_changes_nothing(tiny_flow, images):
    a = make(tiny_flow, "dp-glow")(images, labels=np.zeros(5, int))
    b = make(tiny_flow, "dp-glow")(images, labels=np.full(5, 2))
    assert np.array_equal(a.images, b.images)
    assert (b.labels == -1).all()


def test_a_public_label_is_released_and_listed(tiny_flow, images):
    labels = np.array([0, 1, 2, -1, 0])
    release = make(tiny_flow, label="public")(images, labels=labels)
    assert np.array_equal(release.labels, labels)
    assert "label" in release.unprotected[0]


@pytest.mark.promise(
    "Each image is protected on its own: who else is in the batch changes nothing."
)
def test_each_image_is_privatized_on_its_own(tiny_flow, images):
    """The distribution cannot depend on batch mates: with fixed words, the row does not."""
    from tests.support.contract import Replay

    recipe = Recipe.from_preset("dp-glow", label="none")
    alone = Privatizer(tiny_flow, recipe, Replay())(images[:1]).images
    among = Privatizer(tiny_flow, recipe, Replay())(images).images[:1]
    assert np.abs(alone - among).max() < 1e-3


def test_large_budget_gives_the_image_back(tiny_flow, images):
    images = 0.1 + 0.8 * images
    release = make(tiny_flow, "dp-glow", epsilon=1e6, clip=6.0)(images)
    assert np.abs(release.images - images).mean() < 0.02


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((2, 8, 8), np.float32), "shape"),
        (np.zeros((16, 16), np.float32), "shape"),
        (np.zeros((2, 16, 16), np.uint8), "floats"),
        (np.full((1, 16, 16), 1.5, np.float32), r"\[0, 1\]"),
        (np.full((1, 16, 16), np.nan, np.float32), "not finite"),
    ],
)
def test_arrays_that_are_no_images_are_refused(tiny_flow, bad, message):
    with pytest.raises(InputError, match=message):
        make(tiny_flow)(bad)


@pytest.mark.parametrize("bad", [np.zeros(3, int), np.full(5, 3), np.zeros(5), np.full(5, -2)])
def test_labels_that_do_not_fit_are_refused(tiny_flow, images, bad):
    with pytest.raises(InputError, match="labels"):
        make(tiny_flow)(images, labels=bad)


def test_a_recipe_is_bound_to_its_weights():
    recipe = Recipe.from_preset("strict", weights="cxr-adult").with_weights("0" * 64)
    with pytest.raises(WeightsError, match="another sha256"):
        Privatizer.from_recipe(recipe)


def test_it_is_frozen_and_another_noise_makes_another_one(tiny_flow, images):
    privatizer = make(tiny_flow, seed=1)
    for name in ("flow", "recipe", "noise", "plan"):
        with pytest.raises(FrozenInstanceError):
            setattr(privatizer, name, None)
    other = privatizer.with_noise(SeededNoise(2))
    assert (other.flow, other.recipe, other.plan) == (
        privatizer.flow, privatizer.recipe, privatizer.plan,
    )  # fmt: skip
    assert np.array_equal(other(images).images, make(tiny_flow, seed=2)(images).images)
    assert np.array_equal(privatizer(images).images, make(tiny_flow, seed=1)(images).images)


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (Profile(size=15), "at least 16 pixels"),
        (Profile(transfer_syntax="jpeg-2000"), "at least 32 pixels"),
        (Profile(transfer_syntax="jpeg-2000", size=31), "at least 32 pixels"),
    ],
)
def test_sizes_that_cannot_be_written_are_refused(tiny_flow, profile, message):
    with pytest.raises(InputError, match=message):
        Privatizer(tiny_flow, Recipe.from_preset("strict", label="none", profile=profile))


@pytest.mark.parametrize(("preset", "encodes"), [("strict", 0), ("balanced", 1)])
def test_nothing_is_encoded_where_nothing_of_the_latent_is_spent(
    tiny_flow, monkeypatch, preset, encodes
):
    """And what comes out is the same, to the last bit."""
    images = np.random.default_rng(0).random((3, 16, 16), dtype=np.float32)
    recipe = Recipe.from_preset(preset, epsilon=8.0, candidates=1)
    calls = []
    real = Flow.encode_and_rate
    monkeypatch.setattr(Flow, "encode_and_rate", lambda *given: calls.append(1) or real(*given))
    spared = Privatizer(tiny_flow, recipe, SeededNoise(1))(images, labels=[0, 1, -1])
    assert len(calls) == encodes
    rated, _ = Privatizer(tiny_flow, recipe, SeededNoise(1)).release_and_rate(
        images, labels=[0, 1, -1]
    )
    assert np.array_equal(spared.images, rated.images)
    assert np.array_equal(spared.labels, rated.labels)
    with pytest.raises(InputError):
        Privatizer(tiny_flow, recipe)(images + 1)
