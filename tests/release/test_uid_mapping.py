"""``--mapping-out``: old and new identifiers, as the MIDI-B validation script reads them."""

import csv
import shutil
import stat

import pydicom
import pytest

from latentdp import InputError
from tests.support.folders import go, header, images, look, picture_at, radiograph_at, tree
from tests.support.places import SAMPLES


@pytest.fixture
def place(tmp_path):
    radiograph_at(tmp_path / "in" / "a", 1)
    radiograph_at(tmp_path / "in" / "b", 1, StudyInstanceUID="1.9.1", SOPInstanceUID="1.9.3")
    radiograph_at(tmp_path / "in" / "c", 2)
    radiograph_at(tmp_path / "in" / "blank", 3, PatientID="")
    picture_at(tmp_path / "in" / "p.png", 4)
    (tmp_path / "in" / "junk").write_bytes(b"junk")
    return tmp_path


def told(path):
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["id_old", "id_new"]
    assert len({old for old, _ in rows[1:]}) == len(rows) - 1
    return dict(rows[1:])


OLD = {f"1.2.3.{n}.{k}" for n in (1, 2, 3) for k in (1, 2, 3)} | {"1.9.1", "1.9.3"}


def test_it_holds_what_the_files_say(place):
    go(place, mapping=place / "map.csv")
    uids, patients = told(place / "map.csv"), told(place / "map.patients.csv")
    assert set(uids) == OLD
    assert set(patients) == {"P1", "P2"}
    new = [header(place, name) for name in images(place) if name.endswith(".dcm")]
    for kind in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        assert {str(ds[kind].value) for ds in new} <= set(uids.values())
    assert set(patients.values()) < {ds.PatientID for ds in new}
    assert uids["1.9.3"] == uids["1.2.3.1.3"], "one output stands for both"
    for name in ("map.csv", "map.patients.csv"):
        assert stat.S_IMODE((place / name).stat().st_mode) == 0o600
    for path in (place / "out").rglob("*.*"):
        data = path.read_bytes()
        assert not [old for old in OLD | {"id_old"} if old.encode() in data]


def test_a_later_run_and_another_folder_tell_the_same(place):
    go(place)
    before = tree(place)
    look(place, mapping=place / "map.csv")
    assert tree(place) == before
    go(place, mapping=place / "map.csv")
    first = (place / "map.csv").read_text()
    assert set(told(place / "map.csv")) == OLD
    go(place, "other", layout="mirror", mapping=place / "map.csv")
    assert (place / "map.csv").read_text() == first


def test_what_a_released_file_says_outweighs_a_duplicate(place):
    """A duplicate's study, of which another file is released, keeps that study's new UID."""
    radiograph_at(place / "in" / "d", 5, StudyInstanceUID="1.9.1", PatientID="P1")
    (place / "in" / "b").rename(place / "b")
    go(place)
    (place / "b").rename(place / "in" / "b")
    go(place, mapping=place / "map.csv")
    uids = told(place / "map.csv")
    studies = {str(header(place, n).StudyInstanceUID) for n in images(place) if "dcm" in n}
    assert uids["1.9.1"] != uids["1.2.3.1.1"]
    assert {uids["1.9.1"], uids["1.2.3.1.1"]} <= studies


@pytest.mark.parametrize("name", ["in/map.csv", "out/map.csv", "vault.csv", "none/map.csv", "."])
def test_it_never_lies_in_the_release_or_replaces_something_else(place, name):
    (place / "vault.csv").write_text("mine")
    for call in (go, look):
        with pytest.raises(InputError, match="mapping"):
            call(place, mapping=place / name)
    assert not (place / "out").exists()
    assert (place / "vault.csv").read_text() == "mine"


def test_the_command_writes_it(command, tmp_path, monkeypatch, capsys, tiny_weights):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(SAMPLES / "clinic-a", "in")
    options = ("--mapping-out", "map.csv", "--layout", "study", "--weights", tiny_weights)
    assert command("privatize", "in", "out", *options) == 0
    assert "PRIVATE: old and new identifiers" in " ".join(capsys.readouterr().out.split())
    uids = told(tmp_path / "map.csv")
    for path in (tmp_path / "out" / "images").rglob("*.dcm"):
        assert pydicom.dcmread(path).SOPInstanceUID in uids.values()


def test_the_next_delivery_adds_to_the_map(place):
    """Next month's folder holds other files; this month's pairs must not be lost."""
    go(place, mapping=place / "map.csv")
    first = told(place / "map.csv")
    shutil.move(place / "in", place / "old")
    radiograph_at(place / "in" / "new", 7, PatientID="P1")
    go(place, mapping=place / "map.csv")
    assert told(place / "map.csv").items() > first.items()
    assert "1.2.3.7.3" in told(place / "map.csv")
    assert set(told(place / "map.patients.csv")) == {"P1", "P2"}


def test_a_study_of_two_patients_becomes_two(place):
    """By the source's mistake; one study of two pseudonyms would tell both shifts of dates."""
    for name, patient in (("x", "P8"), ("y", "P9")):
        radiograph_at(
            place / "in" / name, ord(name), PatientID=patient, StudyInstanceUID="1.8",
            SeriesInstanceUID="1.8.1",
        )  # fmt: skip
    go(place)
    found = [header(place, name) for name in images(place) if name.endswith(".dcm")]
    of = {}
    for dataset in found:
        of.setdefault(dataset.StudyInstanceUID, set()).add(dataset.PatientID)
    assert all(len(patients) == 1 for patients in of.values())
