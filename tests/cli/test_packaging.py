import re
import runpy
import subprocess
import sys
import tomllib
import zipfile

import numpy as np
import pydicom
import pytest

from tests.support.places import ROOT, SAMPLES

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_package_list_is_the_tree():
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "latentdp").rglob("__init__.py")
    }
    command = {
        ".".join(("latentdp._cli", *path.parent.relative_to(ROOT / "cli").parts))
        for path in (ROOT / "cli").rglob("__init__.py")
    }
    assert listed == found | command | {"latentdp._weights"}


def test_every_dependency_is_pinned_for_the_tests():
    pinned = {
        line.split("==")[0].lower()
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    wanted = (
        PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["test"]
    )
    for requirement in wanted:
        name = re.split(r"[>=\[]", requirement)[0].strip().lower()
        assert name in pinned


@pytest.mark.slow
def test_the_wheel_holds_code_command_and_weights(tmp_path):
    subprocess.run(
        [
            sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path,
            ROOT,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    for name in (
        "latentdp/py.typed",
        "latentdp/reports/templates/release.html.j2",
        "latentdp/reports/templates/review.html.j2",
        "latentdp/reports/locale/de/LC_MESSAGES/latentdp.po",
        "latentdp/reports/templates/base.html.j2",
        "latentdp/reports/templates/style.css",
        "latentdp/_cli/_app.py",
        "latentdp/_weights/manifest.toml",
        "latentdp/_weights/cxr-adult.safetensors",
        "latentdp/_weights/cxr-paediatric.safetensors",
    ):
        assert name in held
    assert not [name for name in held if name.startswith(("tests", "samples"))]


def test_samples_are_synthetic_and_small():
    files = [p for p in SAMPLES.rglob("*") if p.is_file()]
    assert len(files) == 8
    assert sum(p.stat().st_size for p in files) < 2e6


def test_the_sample_script_makes_them_again(tmp_path, monkeypatch):
    """The same headers; the same pictures up to the rounding of another machine."""
    script = ROOT / "samples" / "make.py"
    monkeypatch.setattr(sys, "argv", [str(script), str(tmp_path)])
    runpy.run_path(str(script), run_name="__main__")
    for path in (p for p in SAMPLES.rglob("*") if p.is_file()):
        again = tmp_path / path.relative_to(SAMPLES)
        if path.name == "broken.dcm":
            assert again.stat().st_size == path.stat().st_size
            continue
        ours, theirs = pydicom.dcmread(path), pydicom.dcmread(again)
        a, b = (ds.pixel_array.astype(float) / (2**ds.BitsStored - 1) for ds in (ours, theirs))
        assert np.abs(a - b).max() < 0.01
        del ours.PixelData, theirs.PixelData
        assert ours == theirs
        assert {ours.Modality, ours.PhotometricInterpretation} <= {
            "CR", "DX", "MONOCHROME1", "MONOCHROME2",
        }  # fmt: skip
