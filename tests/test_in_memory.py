"""Images in memory, for a person at a notebook: reading, names, sizes, looks and files."""

import json
import re

import numpy as np
import pytest
from PIL import Image

import latentdp
from latentdp import InputError, Privatizer, Recipe
from latentdp.core.arrays import check_images
from latentdp.data.label_names import label_indices
from latentdp.data.label_space import LabelSpace
from latentdp.models.model_card.card import ModelCard
from latentdp.privacy.noise import SeededNoise
from latentdp.reports.guarantee_words import statement
from latentdp.reports.memory_card import NO_LEDGER
from tests.support.places import SAMPLES

CLASSES = ("AP/finding", "AP/normal", "PA/finding", "PA/normal")
SPACE = LabelSpace.of_classes(CLASSES)


@pytest.fixture(scope="module")
def privatizer(tiny_flow):
    return Privatizer(tiny_flow, Recipe.from_preset("balanced"))


@pytest.fixture
def release(privatizer, images):
    return privatizer(images, labels=["a", "B", None, "", 2])


# Reading


def test_a_folder_is_read_as_a_release_reads_it():
    loaded = latentdp.load_images(SAMPLES, 16)
    assert loaded.images.shape == (7, 16, 16)
    assert loaded.images.dtype == np.float32
    assert [path.is_relative_to(SAMPLES) for path in loaded.files] == [True] * 7
    (refused,) = loaded.refused
    assert (refused.file.name, refused.reason) == ("broken.dcm", "unreadable")
    assert refused.message
    assert repr(loaded) == "<LoadedImages: 7 of 16 x 16 pixels, 1 files refused>"


def test_files_come_in_the_order_in_which_they_are_listed(tmp_path):
    files = latentdp.load_images(SAMPLES, 16).files[::-1]
    back = latentdp.load_images([*map(str, files[:2]), tmp_path / "none.png"], (20, 16))
    assert back.files == files[:2]
    assert back.images.shape == (2, 20, 16)
    assert [refused.reason for refused in back.refused] == ["unreadable"]
    one = latentdp.load_images(files[0], 16)
    assert np.array_equal(one.images[0], latentdp.load_images(SAMPLES, 16).images[-1])


def test_a_folder_without_files_is_refused_and_one_without_radiographs_is_empty(tmp_path):
    for place, message in ((tmp_path, "holds no files"), (tmp_path / "none", "there is none")):
        with pytest.raises(InputError, match=message):
            latentdp.load_images(place)
    (tmp_path / "text.txt").write_text("no image")
    assert latentdp.load_images(tmp_path).images.shape == (0, 64, 64)


def test_what_a_person_says_of_the_files_counts(tmp_path):
    import pydicom

    told = pydicom.dcmread(latentdp.load_images(SAMPLES, 16).files[0])
    told.BurnedInAnnotation = "YES"
    told.save_as(tmp_path / "marked.dcm")
    assert latentdp.load_images(tmp_path).refused[0].reason == "burned-in"
    assert len(latentdp.load_images(tmp_path, accept_burned_in=True).images) == 1


# What is wrong with an array


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 16, 16), np.uint8), "uint8; divide by 255"),
        (np.full((2, 16, 16), 200.0), "divide by 255"),
        (np.zeros((2, 16, 16), np.int16), "divide by the largest value"),
        (np.full((2, 16, 16), -0.5), "0 is black and 1 is white"),
        (np.full((2, 16, 16), np.nan), "not finite"),
        (np.zeros((16, 16)), r"take image\[None\]"),
        (np.zeros((2, 1, 16, 16)), r"take images\[:, 0\]"),
        (np.zeros((2, 16, 16, 1)), r"take images\[..., 0\]"),
        (np.zeros((2, 16, 16, 3)), "take one channel"),
        (np.zeros((2, 32, 32)), r"resize with latentdp.resize_images\(images, 16\)"),
    ],
)
def test_an_error_says_what_to_do(array, message):
    with pytest.raises(InputError, match=message) as caught:
        check_images(array, (16, 16))
    assert len(str(caught.value).splitlines()) == 1


def test_what_the_errors_advise_is_taken():
    whole = (255 * np.random.default_rng(0).random((2, 1, 32, 32))).astype(np.uint8)
    check_images(latentdp.resize_images(whole[:, 0].astype("float32") / 255, 16), (16, 16))
    assert latentdp.resize_images(np.zeros((0, 9, 9)), (4, 5)).shape == (0, 4, 5)
    with pytest.raises(InputError, match="at least 1 pixel"):
        latentdp.resize_images(np.zeros((1, 9, 9)), 0)


# Names


def test_labels_are_taken_by_name_in_any_case():
    given = ["PA/Normal", None, "", 1, -1, np.int64(2)]
    assert list(label_indices(given, SPACE)) == [3, -1, -1, 1, -1, 2]
    assert list(label_indices(np.array(["ap/finding"]), SPACE)) == [0]
    for same in (None, [0, 1], np.array([0, -1])):
        assert label_indices(same, SPACE) is same


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("pneumonia", "no class 'pneumonia'; there are: AP/finding, AP/normal, PA/f"),
        ("normal", "'normal' for each view; name it with its view, one of: AP/finding"),
    ],
)
def test_an_unknown_name_is_answered_with_the_known_ones(label, message):
    with pytest.raises(InputError, match=message):
        label_indices([label], SPACE)


def test_a_label_by_name_is_that_by_index(tiny_flow, images):
    recipe = Recipe.from_preset("balanced", label="public")
    made = [
        Privatizer(tiny_flow, recipe, SeededNoise(1))(images[:2], labels=labels)
        for labels in (["c", None], [2, -1])
    ]
    assert np.array_equal(made[0].images, made[1].images)
    assert made[0].label_names == ("c", None)


def test_labels_of_the_wrong_number_are_refused(privatizer, images):
    with pytest.raises(InputError, match="expected 5 labels"):
        privatizer(images, labels=["a"])


def test_size_and_detail_are_given_by_name(tiny_weights, images):
    large = Privatizer.load(str(tiny_weights), size=64, detail=False)
    release = large(images[:2])
    assert (large.size, release.images.shape) == (64, (2, 64, 64))
    assert release.images.min() >= 0
    assert not large.octaves
    assert Privatizer.load(str(tiny_weights))(images[:2]).images.shape == (2, 16, 16)
    with pytest.raises(InputError, match="size of at least 16"):
        Privatizer.load(str(tiny_weights), size=8)


# What it looks like


def test_representations_are_short_and_dump_no_array(privatizer, release):
    said = repr(release)
    assert said.startswith("<Release of 5 images of 16 x 16 pixels, with labels: epsilon 8 ")
    assert repr(privatizer).startswith("<Privatizer balanced on tiny, 16 x 16 pixels: epsilon 8 ")
    assert max(map(len, (said, repr(privatizer)))) < 120
    assert "array" not in said


def test_a_notebook_shows_images_and_the_guarantee_in_words(privatizer, release):
    shown = release._repr_html_()
    assert shown.count("data:image/png;base64,") == 1
    assert statement(release.guarantee)[0] in shown
    assert "NO CRITIC" in shown, "and what speaks against the weights"
    assert len(shown) < 100_000
    assert statement(privatizer.guarantee)[0] in privatizer._repr_html_()
    empty = privatizer(np.zeros((0, 16, 16)))
    assert "<img" not in empty._repr_html_()


def test_names_in_a_notebook_are_text(tiny_flow):
    flow = latentdp.models.flow.flow.Flow(tiny_flow._net, ModelCard(), "<script>", "0" * 64)
    shown = Privatizer(flow, Recipe.from_preset("strict"))._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


# Files


def test_pictures_are_written_with_labels_and_a_card(release, tmp_path):
    card = release.save(tmp_path / "deep" / "private")
    folder = card.parent
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "images", "labels.csv"]
    for i, image in enumerate(release.images):
        with Image.open(folder / "images" / f"{i}.png") as picture:
            assert np.abs(np.asarray(picture) / 255 - image).max() <= 0.5 / 255 + 1e-6
            assert "not for diagnosis" in picture.text["Description"]
    rows = (folder / "labels.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert rows == [f"{i}.png,{name}" for i, name in enumerate(release.label_names)]
    told = json.loads(card.read_text(encoding="utf-8"))
    assert told["guarantee"]["image"]["epsilon"] == release.guarantee.epsilon
    assert told["guarantee"]["not_covered"][0] == NO_LEDGER
    assert told["counts"]["images_in_release"] == 5
    assert any("NO CRITIC" in line for line in told["warnings"])
    assert not [p for p in folder.parent.iterdir() if p != folder], "nothing temporary is left"


def test_arrays_are_written_as_they_are(release, tmp_path):
    release.save(tmp_path / "private", format="npz")
    with np.load(tmp_path / "private" / "images.npz") as held:
        assert np.array_equal(held["images"], release.images)
        assert held["images"].dtype == np.float32
        assert [held["classes"][i] for i in held["labels"]] == list(release.label_names)


def test_what_is_not_private_says_so_on_its_card(tiny_flow, images, tmp_path):
    kept = Recipe.from_preset("balanced", label="none", keep_label_dims=1)
    told = json.loads(Privatizer(tiny_flow, kept)(images).save(tmp_path / "out").read_text())
    assert told["private"] is False
    assert told["guarantee"]["image"]["epsilon"] is None
    assert told["warnings"][0].startswith("NO GUARANTEE of an image")


def test_images_that_are_none_are_left_out(release, tmp_path):
    from dataclasses import replace

    valid = np.array([True, False, True, True, True])
    card = replace(release, valid=valid).save(tmp_path / "out")
    assert len(list((tmp_path / "out" / "images").iterdir())) == 4
    assert json.loads(card.read_text())["counts"]["images_in_release"] == 4


def test_nothing_is_overwritten_and_nothing_half_written(release, tmp_path, monkeypatch):
    from dataclasses import replace

    (tmp_path / "out").mkdir()
    release.save(tmp_path / "out")
    for folder, file_format, message in (
        ("out", "png", "new or empty folder"),
        ("new", "jpeg", "one of png, npz"),
    ):
        with pytest.raises(InputError, match=message):
            release.save(tmp_path / folder, format=file_format)
    with pytest.raises(InputError, match="names none"):
        replace(release, privatizer=None).save(tmp_path / "new")
    monkeypatch.setattr("latentdp.privatizer.saving.write_json", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        release.save(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_verify_does_not_take_it_for_a_release(release, tmp_path):
    card = release.save(tmp_path / "out")
    for place in (card, tmp_path / "out"):
        with pytest.raises(InputError, match=re.compile("release card", re.IGNORECASE)):
            latentdp.verify(place)
