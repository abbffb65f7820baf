"""Other implementations of DICOM, dcmtk and gdcm, read every output as pydicom does."""

import json
import shutil
import subprocess

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import JPEGLSLossless

dcmtk = pytest.mark.skipif(
    shutil.which("dcmdump") is None, reason="dcmtk is not installed (apt-get install)"
)
gdcm = pytest.mark.skipif(
    shutil.which("gdcmraw") is None, reason="libgdcm-tools is not installed (apt-get install)"
)


def told(*command: object) -> str:
    """The standard output of a tool that finds nothing to complain about."""
    done = subprocess.run([*map(str, command)], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return done.stdout.decode()


def stored(path) -> np.ndarray:
    dataset = pydicom.dcmread(path)
    return dataset.pixel_array


def plain(value):
    """DICOM JSON with one spelling of what is empty, and of a name without a given name."""
    if isinstance(value, dict):
        made = {key: plain(one) for key, one in value.items() if not key.startswith("0002")}
        return {key: one for key, one in made.items() if one != []}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.rstrip("^") if isinstance(value, str) else "" if value is None else value


@dcmtk
def test_dcmtk_finds_no_fault(released):
    for path in released.dicom():
        assert told("dcmftest", path) == f"yes: {path}\n"
        told("dcmdump", "--quiet", "+E", path)


@dcmtk
def test_dcmtk_reads_the_same_elements(released):
    for path in released.dicom():
        read = json.loads(told("dcm2json", path))
        dataset = pydicom.dcmread(path)
        del dataset.PixelData
        assert read.pop("7FE00010")["vr"] == "OW"
        assert plain(read) == plain(json.loads(dataset.to_json()))


@dcmtk
def test_dcmtk_decodes_the_same_pixels(released, tmp_path):
    for path in released.dicom():
        native = path
        if pydicom.dcmread(path).file_meta.TransferSyntaxUID == JPEGLSLossless:
            native = tmp_path / path.name
            told("dcmdjpls", path, native)
        told("dcmdump", "--quiet", "+W", tmp_path, native)
        (raw,) = tmp_path.glob("*.raw")
        assert np.array_equal(np.fromfile(raw, "<u2").reshape(stored(path).shape), stored(path))
        raw.unlink()


@dcmtk
def test_dcmtk_shows_the_whole_range(released, tmp_path):
    """As a viewer does: rescale, window and presentation LUT show 0 to 4095 as black to white."""
    for path in released.dicom():
        told("dcml2pnm", "+Wi", "1", "+on2", path, tmp_path / "shown.png")
        with Image.open(tmp_path / "shown.png") as picture:
            shown = np.asarray(picture, dtype=float)
        np.testing.assert_allclose(shown, stored(path) * (65535 / 4095), atol=17)


@pytest.mark.slow
@gdcm
def test_gdcm_reads_the_same_image(released):
    for path in released.dicom():
        info = dict(
            (part.strip() for part in line.split(":", 1))
            for line in told("gdcminfo", path).splitlines()
            if ":" in line
        )
        dataset = pydicom.dcmread(path)
        assert info["Dimensions"] == f"({dataset.Columns},{dataset.Rows},1)"
        assert info["ScalarType found"] == "UINT16"
        assert info["BitsStored"] == str(dataset.BitsStored)
        assert info["PhotometricInterpretation"] == dataset.PhotometricInterpretation
        assert info["Rescale Intercept/Slope"] == "(0,1)"


@pytest.mark.slow
@gdcm
def test_gdcm_decodes_the_same_pixels(released, tmp_path):
    for path in released.dicom():
        told("gdcmconv", "--raw", path, tmp_path / "native.dcm")
        told("gdcmraw", "-i", tmp_path / "native.dcm", "-o", tmp_path / "pixels")
        got = np.fromfile(tmp_path / "pixels", "<u2").reshape(stored(path).shape)
        assert np.array_equal(got, stored(path))
