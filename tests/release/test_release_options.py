"""Options of a profile and pseudonyms, through the command and over several runs."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from latentdp import Privatizer, Recipe
from latentdp.data.dicom.profile import BASIC, Profile
from latentdp.release.privatize import privatize_folder
from tests.support.dicom_files import gradient, radiograph, save

OPTIONS = ("--shift-dates", "--retain-characteristics", "--retain-device", "--accept-burned-in")
ALL = Profile(
    shift_dates=True, retain_characteristics=True, retain_device=True, accept_burned_in=True
)


@pytest.fixture
def place(tmp_path):
    """Two images of P1's study, one of P2, each with its own pixels."""
    (tmp_path / "in").mkdir()
    for i, patient in enumerate(("P1", "P1", "P2"), 1):
        put(tmp_path, f"{i}.dcm", PatientID=patient, StudyInstanceUID=f"1.2.3.{patient[1]}",
            SeriesInstanceUID=f"1.2.4.{patient[1]}", SOPInstanceUID=f"1.2.5.{i}",
            StudyDate="20200229", AcquisitionDate=f"2020030{i}", PatientSex="F",
            PatientAge="093Y", Manufacturer="KODAK", BurnedInAnnotation="YES")  # fmt: skip
    return tmp_path


def put(place, name, **elements):
    top = 4000 - sum(map(ord, name))  # other pixels for another name
    return save(radiograph(gradient(top=top), **elements), place / "in" / name)


@pytest.fixture
def go(place, tiny_flow):
    """Releases the folder; returns the DICOM outputs."""

    def go(out, profile=ALL, *, vault="vault", epsilon=1.0, again=False):
        recipe = Recipe.from_preset("strict", label="none", epsilon=epsilon, profile=profile)
        made = Privatizer(tiny_flow, recipe)
        privatize_folder(
            place / "in", place / out, privatizer=made, vault=place / vault, again=again
        )
        return [dcmread(path) for path in (place / out / "images").glob("*.dcm")]

    return go


def values(datasets, keyword):
    return {str(dataset[keyword].value) for dataset in datasets}


def test_pseudonyms_and_dates_agree_over_runs_with_one_vault_only(go):
    one, two = go("a"), go("b", epsilon=0.5)
    other = go("c", vault="other vault")
    for keyword, count in [("PatientID", 2), ("StudyInstanceUID", 2), ("SeriesInstanceUID", 2),
                           ("AcquisitionDate", 3)]:  # fmt: skip
        assert values(one, keyword) == values(two, keyword)
        assert len(values(one, keyword)) == count
        assert not values(one, keyword) & values(other, keyword)
    instances = [values(run, "SOPInstanceUID") for run in (one, two, other)]
    assert len(set.union(*instances)) == 9, "another recipe gives another instance"
    for dataset in one:
        kept = [dataset.StudyDate, dataset.AcquisitionDate]
        study, acquired = (date.fromisoformat(day) for day in kept)
        assert 1 <= (acquired - study).days <= 3
        assert acquired < date(2020, 3, 1)
        assert (dataset.PatientSex, dataset.PatientAge) == ("F", "090Y")
        assert (dataset.Manufacturer, dataset.BurnedInAnnotation) == ("Kodak", "NO")
    days = {dataset.PatientID: set() for dataset in one}
    for dataset in one:
        days[dataset.PatientID].add(dataset.StudyDate)
    assert sorted(map(len, days.values())) == [1, 1], "one shift for all of a patient"
    assert len(set.union(*days.values())) == 2, "patients have shifts of their own"


def test_without_options_nothing_of_that_is_taken(go):
    assert go("a", BASIC) == [], "marked as holding text"
    got = go("b", Profile(accept_burned_in=True))
    assert len(got) == 3
    for dataset in got:
        assert dataset.StudyDate == dataset.PatientSex == ""
        assert dataset.Manufacturer == "latentdp"
        assert not {"PatientAge", "AcquisitionDate", "ManufacturerModelName"} & set(dataset.dir())


def test_blank_patients_are_never_one(place, go):
    shutil.rmtree(place / "in")
    (place / "in").mkdir()
    for i, blank in enumerate(("", " ", "   ", None)):
        put(place, f"{i}.dcm", PatientID=blank, StudyDate="20200229")
    got = go("a", Profile(shift_dates=True))
    for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        assert len(values(got, keyword)) == 4
    assert len(values(got, "StudyDate")) > 1, "and each has its own shift"
    card = json.loads((place / "a" / "release.json").read_text())
    assert card["guarantee"]["patient"]["images"] == 1


def test_two_files_that_claim_one_uid_stay_two(place, go):
    put(place, "other.dcm", PatientID="P1", SOPInstanceUID="1.2.5.1", BurnedInAnnotation="NO",
        StudyInstanceUID="1.2.3.1", SeriesInstanceUID="1.2.4.1")  # fmt: skip
    got = go("a")
    assert len(values(got, "SOPInstanceUID")) == len(got) == 4


def test_another_release_of_a_file_is_another_instance(place, go):
    before = values(go("a"), "SOPInstanceUID")
    next((place / "a" / "images").iterdir()).unlink()
    after = values(go("a", again=True), "SOPInstanceUID")
    assert len(before & after) == 2
    assert len(after) == 3


@pytest.mark.skipif(shutil.which("dcentvfy") is None, reason="dcentvfy (dicom3tools) is absent")
def test_dcentvfy_finds_the_files_of_two_runs_consistent(place, go):
    put(place, "blank.dcm", PatientID="", StudyInstanceUID="1.2.3.1")
    go("a")
    go("b", replace(ALL, transfer_syntax="jpeg-2000", size=32))
    paths = [str(path) for path in place.glob("[ab]/images/*")]
    assert len(paths) == 8
    done = subprocess.run(["dcentvfy", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_is_retained_is_unprotected_on_the_card(place, command, capsys, tiny_weights):
    weights = ("--weights", tiny_weights)
    assert command("privatize", place / "in", place / "a", *OPTIONS, *weights) == 0
    assert "no bound on re-identification" in " ".join(capsys.readouterr().out.split())
    file = place / "a" / "release.json"
    card = json.loads(file.read_text())
    told = card["guarantee"]
    assert [line.split()[0] for line in told["unprotected"]] == ["dates", "the", "maker"]
    assert "epsilon infinity, unprotected: dates" in told["statement"][0]
    assert told["image"]["verification_auc_at_most"] is None
    assert told["image"]["top1_at_most"]["rate"] is None
    assert [claim["code"] for claim in card["claims"]] == ["113101"]
    assert card["header"]["StudyDate"] == "source value, shifted"
    assert command("verify", place / "a") == 0
    for path, better in [(("guarantee", "unprotected"), []), (("claims",), []),
                         (("recipe", "profile", "shift_dates"), False)]:  # fmt: skip
        changed = json.loads(file.read_text())
        part = changed
        for name in path[:-1]:
            part = part[name]
        part[path[-1]] = better
        file.write_text(json.dumps(changed))
        assert command("verify", place / "a") != 0
        file.write_text(json.dumps(card))
    capsys.readouterr()


@pytest.mark.parametrize("syntax", ["explicit", "jpeg-ls", "jpeg-2000"])
def test_size_and_transfer_syntax(place, go, syntax):
    Image.fromarray(gradient(top=255).astype(np.uint8)).save(place / "in" / "picture.png")
    (place / "in" / "2.dcm").unlink()
    (place / "in" / "3.dcm").unlink()
    (dataset,) = go("a", Profile(accept_burned_in=True, size=200, transfer_syntax=syntax))
    (picture,) = (place / "a" / "images").glob("*.png")
    with Image.open(picture) as opened:
        assert opened.size == (200, 200)
    assert dataset.pixel_array.shape == (200, 200)
    assert "16x16 pixels enlarged to 200x200" in dataset.DerivationDescription
    # Enlarged smoothly: neighbours differ by little of what they may.
    assert np.abs(np.diff(dataset.pixel_array.astype(int))).max() < 0.2 * 4095


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--retain-uids"], "UIDs are not retained"),
        (["--size", "15"], "at least 16"),
        (["--size", "1025"], "from 1 to 1024"),
        (["--transfer-syntax", "jpeg"], "explicit, jpeg-ls, jpeg-2000"),
    ],
)
@pytest.mark.parametrize("name", ["privatize", "explain"])
def test_what_cannot_be_done_is_refused(
    place, command, capsys, tiny_weights, name, options, message
):
    out = [place / "out"] if name == "privatize" else []
    assert command(name, place / "in", *out, *options, "--weights", tiny_weights) == 2
    told = capsys.readouterr().err
    assert message in " ".join(told.split())
    assert not (place / "out").exists()


def test_explain_follows_the_options(place, command, capsys, tiny_weights):
    file = place / "in" / "1.dcm"
    assert command("explain", file, *OPTIONS, "--json", "--weights", tiny_weights) == 0
    told = json.loads(capsys.readouterr().out)
    actions = {element["keyword"]: element["action"] for element in told["elements"]}
    assert actions["AcquisitionDate"] == "source value, shifted"
    assert told["output_header"]["PatientAge"] == "source value, cleaned"
    assert [claim["code"] for claim in told["claims"]] == ["113101"]
