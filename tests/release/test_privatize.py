"""Whole folders, as the command handles them."""

import json
import re
import shutil
import stat
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PIL import Image

from latentdp import BudgetExceeded, InputError, Privatizer, Recipe
from latentdp.data.dicom.profile import Profile
from latentdp.models.flow.flow import Flow
from latentdp.privacy.noise import SeededNoise
from latentdp.release.inputs import find_files
from latentdp.release.privatize import privatize_folder
from latentdp.vault.vault import Vault
from tests.release.sample_release import BROKEN, GOOD, RECIPE, SHAPE, go, look, outputs, rows


@pytest.mark.promise(
    "Every input is accounted for: by an output, or by a line that says why there is none."
)
def test_every_input_is_an_output_or_a_quarantine_line(place):
    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (80, 1))).save(place / "in" / "p.png")
    (place / "in" / "notes.txt").write_text("nothing")
    (place / "in" / "empty").write_bytes(b"")
    summary = go(place)
    assert summary.inputs == GOOD + BROKEN + 3
    assert summary.released == GOOD + 1 == len(outputs(place))
    assert summary.quarantined == {"unreadable": 1, "not-dicom": 2}
    assert summary.exit_code == 1
    told = rows(summary)
    assert sorted(r["file"] for r in told) == sorted(
        file.name for file in find_files(place / "in")
    )
    assert {r["output"] for r in told if r["status"] == "released"} == set(outputs(place))
    assert all(r["reason"] and r["message"] for r in told if r["status"] == "quarantined")
    card = json.loads((place / "out" / "release.json").read_text())
    assert card["status"] == "complete"
    assert card["counts"] == {"images_in_release": 8}


def test_outputs_reopen_and_differ_from_their_sources(place):
    go(place)
    sources = {file.path.read_bytes() for file in find_files(place / "in")}
    for name, data in outputs(place).items():
        assert data not in sources
        ds = pydicom.dcmread(place / "out" / "images" / name)
        assert ds.pixel_array.shape == SHAPE
        assert ds.PatientIdentityRemoved == "YES"
        assert np.ptp(ds.pixel_array) > 500


def test_nothing_of_the_sources_is_in_the_release(place):
    go(place)
    # Long enough not to stand in random pixels by chance; images in a page are base64.
    canaries = {b"Doe^", b"Jane", b"A-1001", b"Erika", b"Invented", b"20190304", b"clinic"}
    canaries |= {b"cr-0", b"IM0001", str(place).encode()}
    for path in (file.path for file in find_files(place / "in")):
        if path.name == "broken.dcm":
            continue
        ds = pydicom.dcmread(path, stop_before_pixels=True)
        canaries |= {str(ds[k].value).encode() for k in ("SOPInstanceUID", "StudyInstanceUID")}
    for path in (place / "out").rglob("*"):
        relative = str(path.relative_to(place / "out")).encode()
        content = relative + (path.read_bytes() if path.is_file() else b"")
        content = re.sub(rb"base64,[A-Za-z0-9+/=]+", b"", content)
        assert not [c for c in canaries if c in content], path


@pytest.mark.promise("Names, times and order of files lead from no output to its source.")
def test_names_times_and_order_do_not_link(place):
    first = go(place)
    times = {p.stat().st_mtime for p in (place / "out" / "images").iterdir()}
    assert len(times) == 1
    order = [r["file"] for r in rows(first)]
    shutil.rmtree(place / "out")
    shutil.rmtree(place / "vault")
    second = go(place)
    assert order != sorted(order) or [r["file"] for r in rows(second)] != order


def test_images_of_one_patient_share_a_pseudonym_and_a_sum(place):
    summary = go(place)
    ids = [pydicom.dcmread(place / "out" / "images" / name).PatientID for name in outputs(place)]
    assert len(set(ids)) == 6, "two of the seven samples show one patient"
    assert summary.most_images == 2
    assert summary.patient_epsilon == pytest.approx(2 * 8, rel=0.01)
    card = json.loads((place / "out" / "release.json").read_text())
    assert card["guarantee"]["patient"]["epsilon"] == pytest.approx(16, rel=0.01)
    again = go(place, out="elsewhere", vault=place / "other vault")
    assert again.released == GOOD
    other = {pydicom.dcmread(p).PatientID for p in (place / "elsewhere" / "images").iterdir()}
    assert not other & set(ids), "another vault gives unlinkable pseudonyms"


def test_files_without_a_patient_are_added_up_over_recipes(place):
    shutil.rmtree(place / "in")
    (place / "in").mkdir()
    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (80, 1))).save(place / "in" / "p.png")
    assert go(place, budget=8.0).released == 1
    other = Recipe.from_preset("balanced", label="none", epsilon=7.0)
    with pytest.raises(BudgetExceeded):
        go(place, other, out="other", budget=8.0)
    summary = go(place, other, out="other")
    assert summary.patient_epsilon == pytest.approx(15, rel=0.01)


def test_the_card_is_about_the_folder_and_not_about_the_last_run(place):
    first = go(place)
    shutil.copytree(place / "in" / "clinic-b", place / "less")
    go(place, source="less")
    card = json.loads((place / "out" / "release.json").read_text())
    assert card["counts"]["images_in_release"] == GOOD
    assert card["guarantee"]["patient"]["epsilon"] == pytest.approx(first.patient_epsilon)
    assert card["guarantee"]["patient"]["images"] == 2


def test_no_ceiling_is_stated_where_something_is_unprotected(place):
    go(place, Recipe.from_preset("balanced", label="none", keep_label_dims=4))
    image = json.loads((place / "out" / "release.json").read_text())["guarantee"]["image"]
    assert image["verification_auc_at_most"] is None
    assert image["top1_at_most"]["rate"] is None


def test_reasons_are_for_the_vault_and_not_for_the_card(place):
    summary = go(place)
    assert summary.quarantined == {"unreadable": 1}
    text = (place / "out" / "release.json").read_text()
    assert "unreadable" not in text
    assert "quarantined" not in text


def test_a_budget_of_exactly_the_cost_is_enough(place):
    labels = place / "labels.csv"
    names = [file.name for file in find_files(place / "in")]
    labels.write_text("file,label\n" + "".join(f"{n},a\n" for n in names))
    for preset in ("strict", "balanced"):
        recipe = Recipe.from_preset(preset)
        budget = 2 * recipe.epsilon
        assert go(place, recipe, out=preset, labels=labels, budget=budget,
                  vault=place / f"v{preset}").released == GOOD  # fmt: skip


def test_workers_make_the_same_release(place, tiny_weights):
    """Worker processes load the weights that the recipe names."""
    recipe = replace(RECIPE, weights=str(tiny_weights))
    privatizer = Privatizer.from_recipe(recipe)
    summary = privatize_folder(
        place / "in", place / "out", privatizer=privatizer, vault=place / "vault", workers=2
    )
    assert (summary.released, summary.exit_code) == (GOOD, 1)
    assert len(outputs(place)) == GOOD


@pytest.mark.promise("Inputs are never written to.")
def test_inputs_are_never_written(place):
    paths = [file.path for file in find_files(place / "in")]
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in paths}
    for path in [place / "in", *(place / "in").rglob("*")]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    go(place)
    assert before == {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in paths}


@pytest.mark.parametrize(
    ("out", "vault"),
    [("in/out", "vault"), ("in", "vault"), ("out", "out/vault"), ("out", "in/vault"), (".", "v")],
)
def test_folders_that_would_mix_are_refused(place, out, vault):
    with pytest.raises(InputError, match="must not lie inside"):
        go(place, out=out, vault=place / vault)
    assert not (place / "vault").exists()


def test_an_output_folder_with_other_files_or_another_recipe_is_refused(place):
    (place / "out").mkdir()
    (place / "out" / "mine.txt").write_text("x")
    with pytest.raises(InputError, match="other files"):
        go(place)
    shutil.rmtree(place / "out")
    go(place)
    with pytest.raises(InputError, match="another recipe"):
        go(place, Recipe.from_preset("balanced", label="none", epsilon=4.0))


@pytest.mark.promise("Over budget nothing is written, and nobody is charged.")
def test_over_budget_nothing_is_written_or_charged(place):
    with pytest.raises(BudgetExceeded, match="1 of 6 patients"):
        go(place, budget=10.0)
    assert outputs(place) == {}
    assert not (place / "out").exists()
    ledger = Vault(place / "vault").ledger()
    assert ledger.spent() == {}
    ledger.close()
    assert go(place, budget=16.0).released == GOOD
    with pytest.raises(BudgetExceeded):
        go(place, Recipe.from_preset("strict", epsilon=0.5), out="more", budget=16.0, labels=None)


def test_an_image_that_decodes_to_nothing_is_quarantined(place, monkeypatch):
    real = Flow.decode_valid

    def broken(self, latents, labels=None):
        images, valid = real(self, latents, labels)
        valid[0] = False
        return images, valid

    monkeypatch.setattr(Flow, "decode_valid", broken)
    summary = go(place)
    assert summary.quarantined["non-finite"] == 1
    assert len(outputs(place)) == GOOD - 1 == summary.released
    monkeypatch.undo()
    again = go(place)
    assert again.quarantined["non-finite"] == 1, "there is no second draw under one charge"
    assert again.already == GOOD - 1


def test_released_labels_are_written_with_the_new_names(place):
    labels = place / "labels.csv"
    names = [file.name for file in find_files(place / "in")]
    labels.write_text("file,label\n" + "".join(f"{n},a\n" for n in names))
    summary = go(place, Recipe.from_preset("balanced", label="public"), labels=labels)
    assert summary.released == GOOD
    told = (place / "out" / "labels.csv").read_text().split()
    assert told == ["file,label", *sorted(f"{n},a" for n in outputs(place))]
    card = json.loads((place / "out" / "release.json").read_text())
    assert card["guarantee"]["statement"][0].startswith("NO GUARANTEE")
    assert card["guarantee"]["image"]["epsilon"] is None
    assert "label" in card["guarantee"]["unprotected"][0]
    random = go(place, Recipe.from_preset("strict", epsilon=0.1), out="rr", labels=labels)
    assert random.released == GOOD
    assert len((place / "rr" / "labels.csv").read_text().split()) == GOOD + 1


def test_a_seed_is_stamped_on_the_card_and_on_every_output(place):
    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (80, 1))).save(place / "in" / "p.png")
    go(place, noise=SeededNoise(1))
    card = json.loads((place / "out" / "release.json").read_text())
    assert card["private"] is False
    assert "NOT PRIVATE" in card["warnings"][0]
    for name in outputs(place):
        path = place / "out" / "images" / name
        if path.suffix == ".png":
            with Image.open(path) as picture:
                assert "NOT PRIVATE" in picture.info["Description"]
        else:
            assert "NOT PRIVATE" in pydicom.dcmread(path).DerivationDescription
    with pytest.raises(InputError, match="another recipe"):
        go(place)
    private = go(place, out="private")
    assert private.released == GOOD + 1, "a seeded output is never served as private"


@pytest.mark.promise("A dry run writes nothing and tells the numbers of the run.")
def test_a_preview_writes_nothing_and_tells_the_same_numbers(place):
    summary, refused = look(place)
    assert sorted(p.name for p in place.iterdir()) == ["in"]
    assert refused == [("clinic-b/broken.dcm", "unreadable")]
    real = go(place)
    for field in ("inputs", "released", "quarantined", "patients", "most_images"):
        assert getattr(summary, field) == getattr(real, field)
    assert summary.patient_epsilon == pytest.approx(real.patient_epsilon, rel=1e-5)
    assert summary.spent == pytest.approx(real.spent, rel=1e-5)


def test_the_vault_is_private_and_holds_the_pictures_to_look_at(place):
    go(place, replace(RECIPE, profile=Profile(size=64)))  # smaller outputs are not read again
    assert stat.S_IMODE((place / "vault").stat().st_mode) == 0o700
    with Image.open(place / "vault" / "before-after.png") as sheet:
        assert sheet.size == (3 * GOOD * 18, 3 * 2 * 18)
