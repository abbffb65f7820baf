"""What operating systems and viewers leave between images is named as that, and bothers nobody."""

import shutil

import pytest

from latentdp import InputError, Privatizer, Recipe
from latentdp.release.inputs import find_files, is_left_by_system
from latentdp.release.privatize import privatize_folder
from tests.support.folders import go, picture_at, radiograph_at, rows
from tests.support.tiny_flow import shared_flow

LEFT = (
    ".DS_Store", "._IM0001", "._2.png", "Thumbs.db", "ehthumbs.db", "desktop.ini", "Desktop.INI",
    "AUTORUN.INF", ".apdisk", "Icon\r", ".directory", "~$labels.csv", "IM0001~", ".nfs0000a1",
)  # fmt: skip
KEPT = ("IM0001", ".IM0001", "thumbs.dcm", "DICOMDIR", "1.dcm", "desktop", "notes.txt", "_1.png")


@pytest.mark.parametrize("name", LEFT)
def test_a_file_of_a_system_is_known_by_its_name(name):
    assert is_left_by_system(name)
    assert is_left_by_system(f"a/b/{name}")
    assert is_left_by_system(f"a\\b\\{name}")


@pytest.mark.parametrize("name", KEPT)
def test_another_one_is_not(name):
    assert not is_left_by_system(name)


def test_they_are_accounted_for_and_an_image_of_such_a_name_is_an_image(tmp_path):
    radiograph_at(tmp_path / "in" / "IM0001", 1)
    radiograph_at(tmp_path / "in" / "._IM0002", 2)
    radiograph_at(tmp_path / "in" / ".hidden", 3)
    for i, name in enumerate(LEFT):
        (tmp_path / "in" / name).write_bytes(b"x" * (i + 1))
    (tmp_path / "in" / "notes.txt").write_text("notes")
    summary = go(tmp_path)
    assert summary.released == 3
    assert summary.quarantined == {"system-file": len(LEFT), "not-dicom": 1}
    told = rows(summary)
    assert told["Thumbs.db"]["reason"] == "system-file"
    assert "Thumbs.db" in told["Thumbs.db"]["message"]


def test_they_need_no_label(tmp_path):
    """What macOS writes beside a picture has its name's end, and is none."""
    picture_at(tmp_path / "in" / "1.png", 1)
    (tmp_path / "in" / "._1.png").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "in" / "broken.png").write_bytes(b"x")
    (tmp_path / "labels.csv").write_text("file,label\n1.png,a\n")
    recipe = Recipe.from_preset("balanced", label="response")
    options = {
        "privatizer": Privatizer(shared_flow(), recipe), "vault": tmp_path / "vault",
        "labels": tmp_path / "labels.csv",
    }  # fmt: skip
    summary = privatize_folder(tmp_path / "in", tmp_path / "out", **options)
    assert (summary.released, summary.unlabelled) == (1, 0)
    assert summary.quarantined == {"system-file": 1, "unreadable": 1}
    picture_at(tmp_path / "in" / "2.png", 2)
    with pytest.raises(InputError, match="1 input has no label"):
        privatize_folder(tmp_path / "in", tmp_path / "out", **options)


def test_a_junction_is_a_link(tmp_path, monkeypatch):
    """On Windows: from Python 3.12 on it is not entered, and so it has a line of its own."""
    radiograph_at(tmp_path / "in" / "1", 1)
    shutil.copytree(tmp_path / "in", tmp_path / "in" / "junction")
    monkeypatch.setattr(
        "latentdp.release.inputs._is_junction", lambda path: path.name == "junction"
    )
    assert "junction" in {file.name for file in find_files(tmp_path / "in")}
