"""Studies from a real Orthanc, and a release into it: over DICOMweb, C-GET, C-MOVE and C-STORE."""

import io
import json

import pydicom
import pytest

from latentdp.archives import pull as pulling
from latentdp.archives.pull import beside
from latentdp.errors import Aborted
from tests.support.archives import study
from tests.support.sweeps import slow

pytestmark = pytest.mark.xdist_group("orthanc")

WAYS = ["web", slow("get"), slow("move")]


def fill(archive, folder, *numbers):
    paths = [path for number in numbers for path in study(folder, number)]
    for path in paths:
        archive.server.json("/instances", path.read_bytes())
    return paths


def whole(folder):
    """Study and instance of each file, by its place."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("way", WAYS)
def test_studies_are_fetched_once_as_they_are(way, archive, tmp_path, command, capsys):
    sent = fill(archive, tmp_path / "all", 1, 2)
    arguments = ("pull", *archive.arguments(way), tmp_path / "in", "--json")
    assert command(*arguments, "--all") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["studies"], told["fetched"], told["already"]) == (2, 2, 0)
    assert told["instances_fetched"] == len(sent)
    assert len(whole(tmp_path / "in")) == len(sent)
    for path in sent:
        dataset = pydicom.dcmread(path)
        place = tmp_path / "in" / dataset.StudyInstanceUID / f"{dataset.SOPInstanceUID}.dcm"
        assert pydicom.dcmread(place) == dataset
        assert place.stat().st_mode & 0o077 == 0
    fill(archive, tmp_path / "all", 3)
    assert command(*arguments, "--from", "2024-01-02") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["studies"], told["fetched"], told["already"]) == (2, 1, 1)


@pytest.mark.parametrize("way", WAYS[:2])
def test_a_list_names_patients_and_the_command_line_does_not(
    way, archive, tmp_path, command, capsys
):
    fill(archive, tmp_path / "all", 1, 2, 3)
    (tmp_path / "list.csv").write_text("Accession,PatientID\nA1,P1\nA2,P9\n,P3\n")
    arguments = ("pull", *archive.arguments(way), tmp_path / "in", "--list", tmp_path / "list.csv")
    assert command(*arguments, "--dry-run") == 0
    assert "studies that fit 2" in " ".join(capsys.readouterr().out.split())
    assert not (tmp_path / "in").exists()
    assert command(*arguments) == 0
    assert {place.split("/")[0] for place in whole(tmp_path / "in")} == {"1.2.3.1", "1.2.3.3"}
    assert command(*arguments, "--modality", "CT") == 2
    out = capsys.readouterr().out
    assert "P1" not in out
    assert "A1" not in out


def test_a_series_of_another_modality_stays_in_the_archive(archive, tmp_path, command):
    (path,) = study(tmp_path / "all", 1, images=1)
    dataset = pydicom.dcmread(path)
    for modality, uid in (("CR", "1.2.3.1.7"), ("PR", "1.2.3.1.8")):
        dataset.Modality, dataset.SeriesInstanceUID = modality, uid
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{uid}.1"
        dataset.save_as(path)
        archive.server.json("/instances", path.read_bytes())
    assert command("pull", *archive.arguments("web"), tmp_path / "in", "--all") == 0
    assert whole(tmp_path / "in") == {"1.2.3.1/1.2.3.1.7.1.dcm"}


def test_a_study_is_there_whole_or_not_at_all(archive, tmp_path, command, monkeypatch, capsys):
    """A full disk in the middle of the second; then it goes on."""
    fill(archive, tmp_path / "all", 1, 2)
    kept, keep = [], pulling.keep

    def full(folder, instance, data):
        kept.append(instance)
        if len(kept) == 4:
            raise OSError(28, "No space left on device")
        return keep(folder, instance, data)

    monkeypatch.setattr(pulling, "keep", full)
    arguments = ("pull", *archive.arguments("web"), tmp_path / "in", "--all")
    assert command(*arguments) == Aborted.exit_code
    assert "No space left" in capsys.readouterr().err
    assert len(whole(tmp_path / "in")) == 2
    assert not list((beside(tmp_path / "in") / "part").iterdir())
    monkeypatch.undo()
    assert command(*arguments, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["fetched"], told["already"]) == (1, 1)


def test_a_study_that_has_grown_is_fetched_anew_and_nothing_is_lost(
    archive, tmp_path, command, capsys
):
    sent = fill(archive, tmp_path / "all", 1)
    arguments = ("pull", *archive.arguments("web"), tmp_path / "in", "--all")
    assert command(*arguments) == 0
    place = tmp_path / "in" / "1.2.3.1"
    (place / "1.2.3.1.1.1.dcm").unlink()
    (place / "of-mine.dcm").write_bytes(b"mine")
    assert command(*arguments) == 0
    assert len(list(place.iterdir())) == len(sent) + 1
    assert (place / "of-mine.dcm").read_bytes() == b"mine"
    # Killed between the two renames that put it in its place:
    place.rename(beside(tmp_path / "in") / "old" / place.name)
    capsys.readouterr()
    assert command(*arguments, "--json") == 0
    assert json.loads(capsys.readouterr().out)["already"] == 1


@pytest.mark.parametrize("way", ["web", slow("get")])
def test_a_release_is_sent_byte_by_byte_and_once(way, archive, released, command, capsys):
    arguments = ("push", released, *archive.arguments(way), "--json")
    assert command(*arguments, "--again") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["images"], told["sent"], told["problems"]) == (4, 4, [])
    stored = [
        archive.server.call(f"/instances/{name}/file")
        for name in archive.server.json("/instances")
    ]
    sent = [path.read_bytes() for path in (released / "images").iterdir()]
    if way == "web":
        assert sorted(stored) == sorted(sent)
    # Over an association the archive writes a meta header of its own.
    both = [
        sorted(
            (pydicom.dcmread(io.BytesIO(data)) for data in files), key=lambda d: d.SOPInstanceUID
        )
        for files in (stored, sent)
    ]
    assert both[0] == both[1]
    assert command(*arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["sent"], told["already"]) == (0, 4)


def test_what_an_archive_gives_is_what_privatize_takes(
    archive, tmp_path, command, tiny_weights, capsys
):
    fill(archive, tmp_path / "all", 1, 2)
    assert command("pull", *archive.arguments("web"), tmp_path / "in", "--all") == 0
    options = ("--weights", tiny_weights, "--size", 64, "--vault", tmp_path / "vault")
    assert command("privatize", tmp_path / "in", tmp_path / "out", *options) == 0
    archive.empty()
    assert command("push", tmp_path / "out", *archive.arguments("web")) == 0
    patients = {
        archive.server.json(f"/patients/{name}")["MainDicomTags"]["PatientID"]
        for name in archive.server.json("/patients")
    }
    assert len(patients) == 2
    assert all(patient.startswith("LDP-") for patient in patients)
