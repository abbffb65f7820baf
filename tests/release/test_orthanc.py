"""A whole release is uploaded to a real Orthanc, fetched back and compared."""

import io
import urllib.error
from collections.abc import Iterator

import numpy as np
import pydicom
import pytest
from PIL import Image

from tests.support.orthanc import Orthanc, binary

# Pulling, pushing and watching against the same server are tried by default, in tests/archives.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("orthanc")]


@pytest.fixture(scope="module")
def archive(released) -> Iterator[Orthanc]:
    """An empty server for a release."""
    program = binary()
    if program is None:
        pytest.skip("Orthanc is not installed (apt-get install orthanc)")
    server = Orthanc(program)
    yield server
    assert server.end() == 0


@pytest.fixture(scope="module")
def stored(archive, released) -> dict[str, str]:
    """Uploads everything; Orthanc's name of each instance by its SOP Instance UID."""
    answers = [archive.json("/instances", path.read_bytes()) for path in released.dicom()]
    assert {answer["Status"] for answer in answers} == {"Success"}
    return {
        archive.json(f"/instances/{answer['ID']}/simplified-tags")["SOPInstanceUID"]: answer["ID"]
        for answer in answers
    }


def test_every_output_is_taken_and_comes_back_byte_by_byte(archive, released, stored):
    assert len(stored) == len(released.dicom()) >= 39
    for path in released.dicom():
        sent = pydicom.dcmread(path)
        back = archive.call(f"/instances/{stored[sent.SOPInstanceUID]}/file")
        assert back == path.read_bytes()
        got = pydicom.dcmread(io.BytesIO(back))
        assert got == sent
        assert np.array_equal(got.pixel_array, sent.pixel_array)


def test_patients_studies_and_series_are_those_of_the_release(archive, released, stored):
    sent = [pydicom.dcmread(path, stop_before_pixels=True) for path in released.dicom()]
    for level, uid in (
        ("patients", "PatientID"),
        ("studies", "StudyInstanceUID"),
        ("series", "SeriesInstanceUID"),
        ("instances", "SOPInstanceUID"),
    ):
        found = archive.json(f"/{level}?expand")
        assert len(found) == len({dataset[uid].value for dataset in sent})
        if level != "instances":
            assert {one["MainDicomTags"][uid] for one in found} == {
                dataset[uid].value for dataset in sent
            }
    for study in archive.json("/studies?expand"):
        (patient,) = {
            dataset.PatientID
            for dataset in sent
            if dataset.StudyInstanceUID == study["MainDicomTags"]["StudyInstanceUID"]
        }
        assert study["PatientMainDicomTags"]["PatientID"] == patient


def test_the_sources_structure_is_kept(archive, released, stored):
    """As many studies of each patient as the source has; who has no ID is not one person."""
    pairs = [
        (pydicom.dcmread(a, stop_before_pixels=True), pydicom.dcmread(b, stop_before_pixels=True))
        for a, b in released.pairs()
    ]
    new = {}
    for old, made in pairs:
        if old.get("PatientID"):
            new.setdefault(old.PatientID, set()).add(made.PatientID)
            new.setdefault(old.StudyInstanceUID, set()).add(made.StudyInstanceUID)
    assert {len(values) for values in new.values()} == {1}
    assert len(set.union(*new.values())) == len(new)
    without = [made.PatientID for old, made in pairs if not old.get("PatientID")]
    assert len(set(without)) == len(without) > 1


def test_previews_render(archive, released, stored):
    for path in released.dicom():
        dataset = pydicom.dcmread(path)
        name = stored[dataset.SOPInstanceUID]
        with Image.open(io.BytesIO(archive.call(f"/instances/{name}/preview"))) as preview:
            shown = np.asarray(preview.convert("L"), dtype=float)
        values = dataset.pixel_array
        assert shown.shape == values.shape
        assert np.ptp(shown) > 200
        assert np.corrcoef(shown.ravel(), values.ravel())[0, 1] > 0.999


def test_control_a_broken_file_is_refused(archive, released):
    data = released.dicom()[0].read_bytes()
    for broken in (data[:300], b"no DICOM"):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            archive.call("/instances", broken)
