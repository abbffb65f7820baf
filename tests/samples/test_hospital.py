"""The made-up hospital: what lies in it, and that all of it is accounted for."""

import csv
import importlib.util
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom
import pytest

from latentdp import InputError, Privatizer, Recipe
from latentdp.data.dicom.instance import read
from latentdp.release.privatize import preview
from tests.support.folders import tree
from tests.support.places import ROOT
from tests.support.tiny_flow import shared_flow

IMAGES = 18
SCRIPT = ROOT / "samples" / "hospital.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("hospital", SCRIPT)
    module = sys.modules["hospital"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def hospital(script, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("hospital")
    script.main(folder, IMAGES, 7)
    return folder


def look(hospital: Path, **options):
    privatizer = Privatizer(shared_flow(), Recipe.from_preset("balanced", label="none"))
    return preview(hospital / "export", privatizer=privatizer, **options)


def test_every_file_is_accounted_for_in_its_own_words(hospital):
    summary, refused = look(hospital)
    assert summary.released == IMAGES - 4
    assert summary.duplicates == 1
    assert summary.quarantined == {
        "dicomdir": 1, "not-chest": 1, "not-dicom": 1, "not-frontal": 1, "system-file": 4,
        "unreadable": 1,
    }  # fmt: skip
    left = {Path(name).name for name, reason in refused if reason == "system-file"}
    assert left == {".DS_Store", "._IM000000", "AUTORUN.INF", "Thumbs.db"}
    assert 1 < summary.patients < summary.released
    assert summary.most_images > 2


def test_machines_and_codecs_are_mixed_and_follow_ups_show_one_person(hospital):
    files = [pydicom.dcmread(p) for p in sorted((hospital / "export").rglob("IM*0"))]
    assert len({f.file_meta.TransferSyntaxUID for f in files}) == 5
    assert {(f.Modality, f.PhotometricInterpretation) for f in files} == {
        (kind, grey) for kind in ("CR", "DX") for grey in ("MONOCHROME1", "MONOCHROME2")
    }
    visits = Counter(f.PatientID for f in files)
    (who, count), *_ = visits.most_common(1)
    assert count >= 3
    chests = [f for f in files if f.BodyPartExamined == "CHEST" and f.ViewPosition in ("AP", "PA")]
    own = [read(Path(f.filename)).pixels for f in chests if f.PatientID == who]
    others = [read(Path(f.filename)).pixels for f in chests if visits[f.PatientID] == 1]
    alike = np.mean([_likeness(own[0], other) for other in own[1:]])
    assert alike > np.mean([_likeness(own[0], other) for other in others])


def _likeness(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.slow
def test_a_seed_gives_the_same_bytes(script, hospital, tmp_path):
    for name, seed in (("again", 7), ("other", 8)):
        script.main(tmp_path / name, IMAGES, seed)
    first = {path.relative_to(hospital): data for path, data in tree(hospital).items()}
    again = tree(tmp_path / "again")
    assert {path.relative_to(tmp_path / "again"): data for path, data in again.items()} == first
    assert (tmp_path / "other" / "findings.csv").read_bytes() != first[Path("findings.csv")]


def test_its_list_needs_a_map_and_lacks_a_row(hospital, tmp_path):
    options = {"labels": hospital / "findings.csv"}
    with pytest.raises(InputError, match=r"do not know the labels .*'no acute disease'"):
        preview(hospital / "export", **options)
    with (hospital / "findings.csv").open(newline="", encoding="utf-8") as file:
        words = {w.strip() for row in csv.DictReader(file) for w in row["Finding"].split(";")}
    target = {"no acute disease": "normal", "pacemaker": ""}
    with (tmp_path / "map.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("from", "to"))
        rows.writerows((word, target.get(word, "finding")) for word in sorted(words))
    options["label_map"] = tmp_path / "map.csv"
    with pytest.raises(InputError, match="1 input has no label"):
        preview(hospital / "export", **options)
    summary, _ = preview(hospital / "export", unlabelled="random", **options)
    assert summary.unlabelled == 1


def test_a_small_or_a_full_folder_is_refused(script, tmp_path):
    assert script.FEWEST > script.ODD
    (tmp_path / "file").write_text("")
    done = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, check=False)
    assert (done.returncode, b"new or an empty folder" in done.stderr) == (2, True)
