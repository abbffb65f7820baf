"""What the files of a synthesis are like: DICOM, PNG or NumPy archives, marked, with tables."""

import csv
import json
import shutil

import numpy as np
import pydicom
import pytest

from latentdp.core.filesystem import write_json
from latentdp.data import radiograph
from latentdp.data.dicom.profile import FORMATS
from latentdp.data.splits import Splits
from latentdp.data.synthetic import TITLES, mark_box, marked
from latentdp.errors import InputError
from latentdp.synthesis.run import synthesize
from latentdp.synthesis.verify import verify
from tests.support.tiny_flow import shared_flow
from tests.support.validators import dciodvfy
from tests.synthesis.cohorts import cohort, request

SIDE, IMAGES = 64, 5


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One cohort in each format; not to be changed."""
    place = tmp_path_factory.mktemp("forms")
    cohort(place)
    for name in FORMATS:
        synthesize(request(place, name, file_format=name, size=SIDE), shared_flow())
    return place


def files(out):
    return sorted((out / "images").iterdir())


def rows(out):
    with (out / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", FORMATS)
def test_every_image_says_that_it_is_synthetic_and_the_table_what_it_is(made, name):
    out = made / name
    assert len(files(out)) == IMAGES
    height, width = mark_box((SIDE, SIDE))
    for path, row in zip(files(out), rows(out), strict=True):
        image = radiograph.look(path)
        np.testing.assert_array_equal(marked(image)[:height, :width], image[:height, :width])
        said = radiograph.released_identity(path)
        assert row["file_name"] == f"images/{path.name}"
        assert (row["patient"], row["study"]) == (said.patient, said.study)
        assert row["patient"].startswith("SYN-")
        assert row["split"] == Splits().of(row["patient"])
        assert 0 <= float(row["probability of edema"]) <= 1
        words = [text for _, text in radiograph.elements(path)]
        assert any(title in words for title in TITLES)
    assert len({row["patient"] for row in rows(out)}) == IMAGES
    assert [c.claim for c in verify(out).checks if not c.ok] == []


def test_findings_are_a_list_of_0_and_1_for_monai(made):
    lists = json.loads((made / "png" / "datalist.json").read_text())
    names = list(lists["labels"].values())
    labels = {row["file_name"]: row["label"].split(";") for row in rows(made / "png")}
    splits = ("training", "validation", "test")
    entries = [entry for key in splits for entry in lists.get(key, ())]
    assert len(entries) == IMAGES
    for entry in entries:
        assert entry["label"] == [int(name in labels[entry["image"]]) for name in names]


def test_as_dicom_they_are_captures_of_nobody(made):
    for path in files(made / "dicom"):
        dataset = pydicom.dcmread(path)
        assert dataset.SOPClassUID.name == "Secondary Capture Image Storage"
        assert dataset.PatientID.startswith("SYN-")
        assert (dataset.SyntheticData, dataset.BurnedInAnnotation) == ("YES", "NO")
        assert dataset.DerivationCodeSequence[0].CodeValue == "SYNTHETIC-COHORT"
        codes = [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence]
        assert codes == ["COHORT-DP"]  # no header was there to be cleaned


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
def test_dciodvfy_finds_nothing_but_our_own_codes_and_empty_dates(made):
    for path in files(made / "dicom"):
        told = [line for line in dciodvfy(path) if line.startswith(("Error", "Warning"))]
        assert not [line for line in told if "99LATENTDP" not in line and "DICOMDIR" not in line]


def test_an_image_that_was_swapped_is_found(made, tmp_path):
    out = shutil.copytree(made / "png", tmp_path / "out")
    one, other = files(out)[:2]
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    assert "digest of all files" in {c.claim for c in verify(out).checks if not c.ok}


def test_a_card_from_before_there_was_a_digest_is_verified(made, tmp_path):
    out = shutil.copytree(made / "png", tmp_path / "out")
    card = json.loads((out / "release.json").read_text())
    del card["contents_sha256"], card["use"], card["compliance"]
    for name in ("compliance.json", "release.html"):
        (out / name).unlink()
    for name in ("file_format", "marked", "splits"):
        del card["images"][name]
    write_json(out / "release.json", card)
    assert verify(out).ok


def test_without_a_mark_the_corner_is_drawn(made, tmp_path):
    place = tmp_path
    cohort(place, patients=3)
    synthesize(request(place, "plain", mark=False, size=SIDE, images=2), shared_flow())
    height, width = mark_box((SIDE, SIDE))
    for path in files(place / "plain"):
        corner = radiograph.look(path)[:height, :width]
        assert len(np.unique(corner)) > 2


def test_an_unknown_format_is_refused(tmp_path):
    cohort(tmp_path, patients=1)
    with pytest.raises(InputError, match="one of dicom, png, npz"):
        request(tmp_path, file_format="tiff")
