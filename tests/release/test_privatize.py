"""Whole folders, as the command handles them."""

import json
import os
import re
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from latentdp import Aborted, BudgetExceeded, InputError, Privatizer, Recipe
from latentdp.data.dicom.profile import Profile
from latentdp.models.flow.flow import Flow
from latentdp.privacy.noise import SeededNoise
from latentdp.release.executor import Pool
from latentdp.release.inputs import find_files
from latentdp.release.outputs import LOCK, MARK, Outputs
from latentdp.release.privatize import preview, privatize_folder
from latentdp.vault.drafts import Drafts
from latentdp.vault.ledger import Ledger
from latentdp.vault.vault import Vault
from tests.support.places import SAMPLES
from tests.support.sweeps import diagonal
from tests.support.tiny_flow import shared_flow

GOOD, BROKEN = 7, 1
SHAPE = (16, 16)
RECIPE = Recipe.from_preset("balanced", label="none")


@pytest.fixture
def place(tmp_path) -> Path:
    """A folder with a copy of the samples, a picture, and files that are nothing."""
    shutil.copytree(SAMPLES, tmp_path / "in")
    return tmp_path


def go(place: Path, recipe: Recipe = RECIPE, out: str = "out", noise=None, **options):
    vault = options.pop("vault", place / "vault")
    privatizer = Privatizer(shared_flow(), recipe, noise)
    source = place / options.pop("source", "in")
    return privatize_folder(source, place / out, privatizer=privatizer, vault=vault, **options)


def look(place: Path):
    return preview(place / "in", privatizer=Privatizer(shared_flow(), RECIPE))


def outputs(place: Path, out: str = "out") -> dict[str, bytes]:
    folder = place / out / "images"
    return {p.name: p.read_bytes() for p in folder.iterdir()} if folder.exists() else {}


def rows(summary) -> list[dict]:
    return [json.loads(line) for line in summary.report.read_text().splitlines()]


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


@pytest.mark.promise("The same command again makes nothing and charges nothing.")
def test_a_rerun_does_and_charges_nothing(place):
    first, before = go(place), outputs(place)
    second = go(place)
    assert (second.released, second.already, second.spent) == (0, GOOD, 0)
    assert second.patient_epsilon == first.patient_epsilon
    assert outputs(place) == before


def test_new_files_join_an_earlier_release(place):
    go(place)
    before = outputs(place)
    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (80, 1))).save(place / "in" / "p.png")
    summary = go(place)
    assert (summary.released, summary.already) == (1, GOOD)
    assert before.items() <= outputs(place).items()


def test_another_folder_gets_the_first_output_and_pays_nothing(place):
    go(place)
    summary = go(place, out="again")
    assert (summary.released, summary.already, summary.spent) == (0, GOOD, 0)
    assert outputs(place, "again") == outputs(place)


@pytest.mark.parametrize("harm", ["removed", "altered"])
def test_a_lost_output_is_told_and_made_again_only_when_asked(place, harm):
    go(place)
    victim = place / "out" / "images" / sorted(outputs(place))[0]
    if harm == "removed":
        victim.unlink()
    else:
        victim.write_bytes(victim.read_bytes() + b"xx")
    summary = go(place)
    assert (summary.released, summary.already, summary.spent) == (0, GOOD - 1, 0)
    assert summary.quarantined["lost"] == 1
    with pytest.raises(BudgetExceeded):
        go(place, budget=15.0, again=True)
    summary = go(place, again=True)
    assert (summary.released, summary.already) == (1, GOOD - 1)
    assert summary.spent == pytest.approx(8, rel=0.01)
    assert len(outputs(place)) == GOOD, "an altered output leaves the release"
    assert (place / "vault" / "withdrawn" / victim.name).is_file() == (harm == "altered")
    assert go(place).already == GOOD


def test_a_file_that_is_not_of_the_release_is_not_released_with_it(place):
    go(place)
    (place / "out" / "images" / "notes.txt").write_text("x")
    with pytest.raises(InputError, match="1 files in images are not of this release"):
        go(place)


def test_hidden_left_overs_do_not_block_or_stay(place):
    (place / "out").mkdir()
    (place / "out" / ".release.json.tmp").write_text("{")
    assert go(place).released == GOOD
    (place / "out" / ".labels.csv.tmp").write_text("")
    (place / "out" / "images" / ".AppleDouble").mkdir()
    (place / "out" / "images" / f".{'0' * 32}.dcm.-1.part").write_bytes(b"half")
    assert go(place).already == GOOD
    assert {p.name for p in (place / "out").rglob(".*")} == {MARK, LOCK, ".AppleDouble"}


def test_the_same_bytes_under_two_kinds_of_name(place):
    """The picture is released whatever the order; the other one is no DICOM."""
    picture = place / "in" / "a.png"
    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (80, 1))).save(picture)
    shutil.copy(picture, place / "in" / "a_noext")
    for summary in (look(place)[0], go(place)):
        assert summary.released == GOOD + 1
        assert summary.quarantined == {"unreadable": 1, "not-dicom": 1}


def test_a_run_that_died_here_and_was_finished_elsewhere(place, monkeypatch):
    """What lies here is served from here, and nothing is made or released twice in one folder."""
    with monkeypatch.context() as patch:
        patch.setattr(Outputs, "publish", lambda *_: (_ for _ in ()).throw(Died))
        with pytest.raises(Died):
            go(place)
    assert go(place, out="other").accounted == GOOD + BROKEN
    summary = go(place)
    assert summary.already == GOOD
    assert len(outputs(place)) == GOOD


def test_a_moved_release_is_known_where_it_is(place):
    go(place)
    (place / "out").rename(place / "moved")
    assert go(place, out="moved").already == GOOD
    assert go(place, out="third").already == GOOD


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


def test_another_vault_may_not_go_on_with_a_release(place):
    go(place)
    before = outputs(place)
    with pytest.raises(InputError, match="vault that is not there"):
        go(place, vault=place / "second vault")
    Vault(place / "second vault")
    with pytest.raises(InputError, match="another vault"):
        go(place, vault=place / "second vault")
    assert outputs(place) == before


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


def test_dicom_is_read_under_any_name_and_pictures_under_theirs(place):
    (place / "in" / "clinic-a" / "cr-0001.dcm").rename(place / "in" / "clinic-a" / "a.png")
    assert go(place).released == GOOD


def test_a_damaged_picture_of_any_kind_does_not_end_the_run(place, monkeypatch):
    def broken(*_args, **_kwargs):
        raise TypeError("Missing dimensions")

    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (80, 1))).save(place / "in" / "p.tif")
    monkeypatch.setattr("latentdp.data.png._grey", broken)
    summary = go(place)
    assert summary.quarantined == {"unreadable": 2}


def test_names_that_are_no_text_are_handled(place):
    odd = os.fsencode(place / "in") + b"/\xff\xfe.dcm"
    Path(os.fsdecode(odd)).write_bytes(b"nothing")
    (place / "in" / "red\x1b[31m").write_bytes(b"")
    summary = go(place)
    assert summary.accounted == summary.inputs == GOOD + BROKEN + 2


def test_the_same_bytes_twice_are_one_release(place):
    shutil.copy(place / "in" / "clinic-a" / "cr-0001.dcm", place / "in" / "copy")
    summary = go(place)
    assert (summary.released, summary.duplicates) == (GOOD, 1)
    assert summary.most_images == 2


def test_a_copy_of_a_refused_file_is_refused_too(place):
    shutil.copy(place / "in" / "clinic-b" / "broken.dcm", place / "in" / "copy")
    for summary in (look(place)[0], go(place)):
        assert (summary.released, summary.duplicates) == (GOOD, 0)
        assert summary.quarantined == {"unreadable": 2}


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


def test_nothing_to_do_is_an_error(place):
    (place / "empty").mkdir()
    with pytest.raises(InputError, match="no files"):
        go(place, source="empty")
    with pytest.raises(InputError, match="there is none"):
        go(place, source="none")
    assert not (place / "out").exists()
    assert not (place / "vault").exists()


def test_nothing_usable_has_exit_code_2(place):
    shutil.rmtree(place / "in" / "clinic-a")
    for path in (place / "in" / "clinic-b").glob("IM*"):
        path.unlink()
    summary = go(place)
    assert summary.exit_code == 2
    assert summary.quarantined == {"unreadable": 1}


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


class Died(BaseException):
    """Stands for the process being killed: nothing may catch it."""


@pytest.mark.parametrize(
    ("step", "late"),
    diagonal(
        ["Ledger.reserve", "Pool.release", "Drafts.write", "Ledger.finish", "Outputs.publish"],
        [False, True],
    ),
)
def test_a_run_that_dies_anywhere_is_finished_by_the_next(place, monkeypatch, step, late):
    """Before or after each step; afterwards one output and one charge for each image."""
    target, name = {
        "Ledger.reserve": (Ledger, "reserve"),
        "Pool.release": (Pool, "release"),
        "Drafts.write": (Drafts, "write"),
        "Ledger.finish": (Ledger, "finish"),
        "Outputs.publish": (Outputs, "publish"),
    }[step]
    real, calls = getattr(target, name), []

    def dying(*args, **kwargs):
        calls.append(name)
        if not late and len(calls) == 1:
            raise Died
        result = real(*args, **kwargs)
        if late and len(calls) == 1:
            raise Died
        return result

    with monkeypatch.context() as patch:
        patch.setattr(target, name, dying)
        with pytest.raises(Died):
            go(place)
    drawn = {
        pydicom.dcmread(path).SOPInstanceUID: path.read_bytes()
        for path in (place / "out" / "images").iterdir()
    }
    assert json.loads((place / "out" / "release.json").read_text())["status"] == "incomplete"
    summary = go(place)
    assert summary.released + summary.already == GOOD
    assert len(outputs(place)) == GOOD, "no partial file is left"
    now = {
        pydicom.dcmread(place / "out" / "images" / name_).SOPInstanceUID: data
        for name_, data in outputs(place).items()
    }
    assert drawn.items() <= now.items(), "what was drawn once is not drawn again"
    ledger = Vault(place / "vault").ledger()
    assert sum(s.releases for s in ledger.spent().values()) == GOOD
    ledger.close()


def test_a_full_disk_is_one_clear_error(place, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device", "/secret/path")

    with monkeypatch.context() as patch:
        patch.setattr("latentdp.vault.drafts.Path.write_bytes", full)
        with pytest.raises(Aborted, match="could not be written") as caught:
            go(place)
    assert caught.value.exit_code == 5
    assert "secret" not in str(caught.value)
    assert outputs(place) == {}
    assert go(place).released == GOOD


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


def test_links_are_not_followed_but_accounted_for(place):
    (place / "in" / "loop").symlink_to(place / "in")
    (place / "in" / "dangling").symlink_to(place / "nowhere")
    os.mkfifo(place / "in" / "pipe")
    summary = go(place)
    assert summary.inputs == summary.accounted == GOOD + BROKEN + 3
    assert summary.quarantined["not-a-file"] == 3


@pytest.mark.data
@pytest.mark.parametrize("folder", ["radiograph", "nasty"])
def test_real_and_nasty_files_are_all_accounted_for(shared_data, tmp_path, folder):
    source = shared_data / "dicom" / folder
    shutil.copytree(source, tmp_path / "in")
    summary = go(tmp_path)
    total = sum(summary.quarantined.values()) + summary.released + summary.duplicates
    assert total == summary.inputs == len(find_files(source))
    if folder == "radiograph":
        assert summary.released == 3, "the three human chests"
    for path in (tmp_path / "out" / "images").iterdir():
        assert pydicom.dcmread(path).pixel_array.shape == SHAPE
