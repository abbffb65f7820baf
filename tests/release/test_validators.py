"""dciodvfy and dcentvfy, of Debian's dicom3tools, on every output of a release."""

import re
import shutil
import subprocess
from pathlib import Path

import pydicom
import pytest

from latentdp.data.dicom.refusals import KINDS
from tests.support.validators import dciodvfy

pytestmark = [
    pytest.mark.skipif(
        shutil.which("dciodvfy") is None, reason="dicom3tools is not installed (apt-get install)"
    ),
]

# The only findings that an output may have and its source not, and why.
EXPECTED = (
    r"needed to build DICOMDIR",  # a warning: dates and numbers of type 2 are empty
    r"CodingSchemeDesignator.*Unrecognized defined term",  # a warning: our own coded item
)
SEEN_AS = {"CR": "CRImage", "DX": "DXImageForPresentation", "SC": "SCImage"}


def lines(tool: str, *arguments: object) -> list[str]:
    """What a validator says."""
    done = subprocess.run([tool, *arguments], capture_output=True, check=False, timeout=60)
    return (done.stdout + done.stderr).decode(errors="replace").splitlines()


def findings(path: Path) -> set[str]:
    """The errors and warnings of dciodvfy, without the values and item numbers in them."""
    told = dciodvfy(path)
    return {
        re.sub(r" = <[^>]*>|\[\d+\]", "", line)
        for line in told
        if line.startswith(("Error", "Warning"))
    }


def introduced(source: Path, output: Path) -> set[str]:
    """What the output has and its source has not."""
    return {
        line
        for line in findings(output) - findings(source)
        if not (line.startswith("Warning") and any(re.search(e, line) for e in EXPECTED))
    }


def test_no_output_has_a_finding_that_its_source_has_not(released):
    pairs = released.pairs()
    assert len(pairs) == len(released.dicom()) >= 39
    for source, output in pairs:
        assert introduced(source, output) == set(), output


def test_every_output_is_a_whole_object_of_its_kind(released):
    """No error at all: also none that the source had."""
    for output in released.dicom():
        told = dciodvfy(output)
        uid = pydicom.dcmread(output, stop_before_pixels=True).SOPClassUID
        assert SEEN_AS[KINDS[uid]] in told
        assert not [line for line in told if line.startswith("Error")], output


def test_the_outputs_of_a_release_agree_with_each_other(released):
    assert lines("dcentvfy", *released.dicom()) == []


def test_control_a_broken_object_is_found(released, tmp_path):
    good = released.dicom()[0]
    dataset = pydicom.dcmread(good)
    del dataset.PatientID
    dataset.PhotometricInterpretation = "RGB"
    dataset.save_as(tmp_path / "broken.dcm")
    found = introduced(good, tmp_path / "broken.dcm")
    assert [line for line in found if "PatientID" in line and line.startswith("Error")]
    assert [line for line in found if "PhotometricInterpretation" in line]
    shutil.copy(good, tmp_path / "copy.dcm")
    assert findings(good) == findings(tmp_path / "copy.dcm")
    assert introduced(good, tmp_path / "copy.dcm") == set()


def test_control_files_that_disagree_are_found(released, tmp_path):
    good = released.dicom()[0]
    dataset = pydicom.dcmread(good)
    dataset.PatientID = "LDP-0000000000000000"
    dataset.save_as(tmp_path / "other.dcm")
    assert lines("dcentvfy", good, tmp_path / "other.dcm") != []
