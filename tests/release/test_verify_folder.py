"""Whatever a card, or what lies beside it, says too much is found: each lie by itself."""

import json
import shutil
from contextlib import suppress

import pydicom
import pytest
from PIL import Image, PngImagePlugin

from latentdp import InputError, Privatizer, Recipe, verify
from latentdp.core.documents import to_json
from latentdp.core.filesystem import write_json
from latentdp.release.privatize import privatize_folder
from latentdp.reports.card_guarantee import PatientGuarantee
from latentdp.reports.guarantee_words import sentences
from latentdp.reports.release_contents import contents_of
from latentdp.reports.release_page import write_release_page
from latentdp.reports.warning_words import warnings
from tests.support.folders import picture_at, radiograph_at
from tests.support.tiny_flow import shared_flow

HEADERS = "images whose headers state this epsilon and recipe"
FILES = "digest of all files"
PATIENTS = "images of a patient, by the headers"
TABLES = "tables that differ from files, labels and card"


def make(place, name):
    """A release of two DICOM files and two pictures, with labels."""
    recipe = Recipe.from_preset("balanced", label="response")
    return privatize_folder(
        place / "in",
        place / name,
        privatizer=Privatizer(shared_flow(), recipe),
        vault=place / f"{name}.vault",
        labels=place / "labels.csv",
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("verify")
    for i in (0, 1):
        radiograph_at(place / "in" / f"{i}.dcm", i)
        picture_at(place / "in" / f"{i}.png", 5 + i)
    lines = [f"{i}.{kind},a\n" for i in (0, 1) for kind in ("dcm", "png")]
    (place / "labels.csv").write_text("file,label\n" + "".join(lines))
    make(place, "out")
    return place


@pytest.fixture
def out(made, tmp_path):
    return shutil.copytree(made / "out", tmp_path / "out")


def failed(out):
    return {check.claim for check in verify(out).checks if not check.ok}


def card(out):
    return json.loads((out / "release.json").read_text())


def image(out, suffix):
    return sorted((out / "images").glob(f"*{suffix}"))[0]


def sign(out, **changes):
    """A liar who writes digests anew: of the files on the card, of the card on the page."""
    write_json(out / "release.json", card(out) | {"contents_sha256": contents_of(out)} | changes)
    write_release_page(out)


def edit(path, old, new):
    """Another text in the header of an image."""
    if path.suffix == ".dcm":
        dataset = pydicom.dcmread(path)
        assert old in dataset.DerivationDescription
        dataset.DerivationDescription = dataset.DerivationDescription.replace(old, new)
        dataset.save_as(path)
        return
    picture, note = Image.open(path), PngImagePlugin.PngInfo()
    assert old in picture.text["Description"]
    for keyword, text in picture.text.items():
        note.add_text(keyword, text.replace(old, new) if keyword == "Description" else text)
    picture.save(path, pnginfo=note)


def test_a_true_release_is_verified(out):
    verification = verify(out)
    assert failed(out) == set()
    assert {HEADERS, FILES, "number of images", "labels", "card of release.html"} < {
        check.claim for check in verification.checks
    }
    (out / ".DS_Store").write_bytes(b"x")
    (out / "images" / "._x.dcm").write_bytes(b"x")
    sign(out)
    assert failed(out) == set(), "an operating system may leave hidden files"


@pytest.mark.parametrize("suffix", [".dcm", ".png"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("epsilon 8 ", "epsilon 2 "),
        ("epsilon 8 ", "epsilon 18 "),
        ("epsilon 8 ", "epsilon about 8 "),
        ("indistinguishable", "indistinguishable up to epsilon 0.1"),
        ("indistinguishable", "indistinguishable up to delta 0.1"),
        ("recipe ", "recipe 0123456789abcdef. Was recipe "),
        ("weights sha256 ", "weights sha256 f"),
    ],
)
def test_a_header_that_states_another_recipe_or_epsilon_is_found(out, suffix, old, new):
    edit(image(out, suffix), old, new)
    assert failed(out) == {HEADERS, FILES}
    sign(out)
    assert failed(out) == {HEADERS}


def test_an_image_that_says_nothing_of_itself_is_found(out):
    Image.new("L", (16, 16)).save(image(out, ".png"))
    sign(out)
    assert failed(out) == {HEADERS, TABLES}


def test_files_that_are_added_removed_altered_or_exchanged_are_found(out):
    path = image(out, ".png")
    content = path.read_bytes()
    shutil.copy(path, path.with_name(f"{'0' * 32}.png"))
    assert failed(out) == {FILES, TABLES, PATIENTS, "number of images"}
    path.unlink()
    assert failed(out) == {FILES, TABLES, "labels"}
    path.with_name(f"{'0' * 32}.png").unlink()
    path.write_bytes(content + b"\0")
    assert failed(out) == {FILES}
    one, other = sorted((out / "images").glob("*.png"))
    path.write_bytes(content)
    assert failed(out) == set()
    one_content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(one_content)
    assert failed(out) == {FILES, TABLES}


def test_labels_that_are_not_those_of_the_release_are_found(out):
    table = out / "labels.csv"
    text = table.read_text()
    others = [text.replace(",a", ",c").replace(",b", ",a"), text.rpartition("\n")[0][:-40] + "\n"]
    for other in others:
        table.write_text(other)
        assert FILES in failed(out)
    table.write_text(text + f"{'0' * 32}.png,a\n")
    sign(out)
    assert failed(out) == {"labels"}
    table.write_text(text + "no table")
    sign(out)
    assert failed(out) == {"labels", TABLES}
    table.unlink()
    (out / "release.json").write_bytes((out / "release.json").read_bytes())
    assert FILES in failed(out)


@pytest.mark.promise(
    "A card beside other images than its own, even of the same recipe, is found by "
    "`latentdp verify`."
)
def test_a_card_of_another_release_by_the_same_recipe_is_refused(made, out):
    make(made, "other")
    for name in ("release.json", "release.html", "compliance.json"):
        shutil.copy(made / "other" / name, out)
    assert failed(out) == {FILES}


@pytest.mark.parametrize(
    ("path", "value", "claim"),
    [
        ("counts/images_in_release", 3, "number of images"),
        ("counts/images_in_release", "4", "number of images"),
        ("contents_sha256", "0" * 64, FILES),
        ("contents_sha256", None, FILES),
        ("status", "incomplete", "status"),
        ("recipe/digest", "0" * 64, "digest of the recipe"),
    ],
)
def test_a_card_that_says_something_else_is_found(out, path, value, claim):
    values = part = card(out)
    *folders, last = path.split("/")
    for name in folders:
        part = part[name]
    part[last] = value
    write_json(out / "release.json", values)
    named = {"actions of the compliance manifest"} if path == "recipe/digest" else set()
    assert failed(out) == {claim, "card of release.html"} | named


def leaves(values, path=()):
    items = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in items:
        if isinstance(value, (dict, list)) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def test_no_field_of_a_card_can_be_altered_alone(out):
    """What does not follow from the rest, such as the data of training, is bound by the page."""
    values = card(out)
    for path, value in list(leaves(values)):
        part = values
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = f"{value} or so" if isinstance(value, str) else (value or 0) + 1
        write_json(out / "release.json", values)
        with suppress(InputError):
            assert not verify(out).ok, path
        part[path[-1]] = value
    write_json(out / "release.json", values)
    assert failed(out) == set()


def test_it_says_what_it_does_not_check(out, tmp_path, command, capsys):
    assert command("verify", out) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "not checked whether the images were made as the card says" in told
    assert command("verify", out, "--json") == 0
    lines = json.loads(capsys.readouterr().out)["not_checked"]
    assert lines == list(verify(out).not_checked)
    (out / "release.html").unlink()
    assert "there is none" in verify(out).not_checked[-1]
    shutil.copy(out / "release.json", tmp_path)
    alone = verify(tmp_path / "release.json")
    assert alone.ok
    assert "do not lie beside the card" in alone.not_checked[-1]
    old = card(out)
    del old["contents_sha256"]
    write_json(out / "release.json", old)
    assert any("version 0.1" in line for line in verify(out).not_checked)


def test_a_patient_with_more_images_than_the_card_says_is_found(tmp_path):
    """The headers of two images name one patient; the card speaks of one image of each."""
    for i in (0, 1):
        radiograph_at(tmp_path / "in" / f"{i}.dcm", i, PatientID="A")
    recipe = Recipe.from_preset("balanced", label="none")
    privatizer = Privatizer(shared_flow(), recipe)
    out = tmp_path / "out"
    privatize_folder(tmp_path / "in", out, privatizer=privatizer, vault=tmp_path / "vault")
    assert verify(out).ok
    image, patient = privatizer.guarantee, privatizer.guarantee.for_patient(1)
    claimed = PatientGuarantee.of(patient, images=1, images_in_this_release=1)
    guarantee = card(out)["guarantee"] | {
        "patient": to_json(claimed),
        "statement": sentences(image, patient),
    }
    sign(out, guarantee=guarantee, warnings=warnings(image, patient, more=privatizer.warnings))
    assert failed(out) == {PATIENTS}


def test_what_a_card_quotes_of_an_evaluation_is_not_verified(out):
    sign(out, evaluation={"lines": ["No attack names a patient."], "claims": []})
    verification = verify(out)
    assert verification.ok
    assert any("evaluation" in line for line in verification.not_checked)
