"""``--refuse-odd``: what is unlike the weights' own images is kept back, and costs nothing."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from latentdp import InputError, Privatizer, Recipe
from latentdp.models.flow.flow import Flow
from latentdp.privacy.noise import SeededNoise
from latentdp.privatizer import Rating
from latentdp.release.privatize import preview, privatize_folder
from tests.support.folders import charges
from tests.support.places import SAMPLES

WEIGHTS = "cxr-adult"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The samples of a clinic, and noise twice, in two files."""
    folder = tmp_path_factory.mktemp("odd") / "in"
    shutil.copytree(SAMPLES / "clinic-a", folder)
    noise = np.random.default_rng(0).integers(0, 256, (80, 80), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    Image.fromarray(noise).save(folder / "again.png", compress_level=1)
    return folder


def made(source, place, **options):
    return privatize_folder(source, place / "out", vault=place / "vault", weights=WEIGHTS, size=64,
                     candidates=1, **options)  # fmt: skip


def test_what_is_odd_is_quarantined_before_it_is_charged_and_so_are_its_copies(source, tmp_path):
    told = preview(source, tmp_path / "out", vault=tmp_path / "vault", weights=WEIGHTS, size=64,
                   candidates=1, refuse_odd=True)  # fmt: skip
    summary = made(source, tmp_path, refuse_odd=True)
    assert told.summary.counts() == summary.counts()
    assert summary.quarantined == {"odd": 2}
    assert summary.fit.odd == 0
    assert charges(tmp_path)["reserve"] == summary.released == summary.inputs - 2
    again = made(source, tmp_path, refuse_odd=True)
    assert (again.already, again.quarantined, again.spent) == (summary.released, {"odd": 2}, 0)


def test_without_it_they_are_released_and_said_to_be_odd(source, tmp_path):
    summary = made(source, tmp_path)
    assert not summary.quarantined
    assert (summary.fit.odd, summary.fit.rated) == (1, summary.released)
    assert summary.fit.poor


def test_each_is_encoded_once(source, tmp_path, monkeypatch):
    """What decides whether an input is odd is what its release is made of."""
    shown = []
    encode = Flow.encode_and_rate

    def counted(flow, images, labels):
        shown.append(len(images))
        return encode(flow, images, labels)

    monkeypatch.setattr(Flow, "encode_and_rate", counted)
    summary = made(source, tmp_path, refuse_odd=True)
    assert sum(shown) == summary.released + 1, "those that are released, and one that is odd"
    shown.clear()
    preview(source, tmp_path / "other", vault=tmp_path / "v", weights=WEIGHTS, size=64,
            candidates=1, refuse_odd=True)  # fmt: skip
    assert sum(shown) == summary.released + 1


def test_what_was_encoded_is_what_is_released(source):
    privatizer = Privatizer.load(preset="balanced", label="none")
    images = np.random.default_rng(1).random((3, 64, 64), dtype=np.float32)
    rating = Rating.together([privatizer.rate(images).one(i) for i in range(3)])
    made_twice = [
        privatizer.with_noise(SeededNoise(0)).release_and_rate(images, rated=rated)[0].images
        for rated in (rating, None)
    ]
    assert np.array_equal(*made_twice)
    others = privatizer.rate(images[::-1].copy())
    other, _ = privatizer.with_noise(SeededNoise(0)).release_and_rate(images, rated=others)
    assert not np.array_equal(other.images, made_twice[0])


def test_it_says_which_images_are_released_and_not_how_one_is_made():
    recipe = Recipe.from_preset("balanced")
    asked = replace(recipe, refuse_odd=True)
    assert (asked.digest, asked.pixels_digest) == (recipe.digest, recipe.pixels_digest)
    assert Recipe.from_toml(asked.to_toml()) == asked


def test_weights_that_state_no_usual_range_cannot(source, tmp_path, tiny_weights):
    with pytest.raises(InputError, match="usual range of likelihood"):
        privatize_folder(
            source,
            tmp_path / "out",
            vault=tmp_path / "vault",
            weights=str(tiny_weights),
            refuse_odd=True,
        )
    assert not (tmp_path / "out").exists()


def test_the_card_says_that_it_was_asked_for_and_holds(source, tmp_path, command):
    made(source, tmp_path, refuse_odd=True)
    card = json.loads((tmp_path / "out" / "release.json").read_text())
    assert card["recipe"]["refuse_odd"] is True
    assert any("find a picture odd" in line for line in card["guarantee"]["not_covered"])
    assert command("verify", tmp_path / "out") == 0
