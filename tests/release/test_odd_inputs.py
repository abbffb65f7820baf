"""Odd names, copies, links and damaged files: all are accounted for."""

import os
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from latentdp import InputError
from latentdp.release.inputs import find_files
from tests.release.sample_release import BROKEN, GOOD, SHAPE, go, look


def test_the_same_bytes_under_two_kinds_of_name(place):
    """The picture is released whatever the order; the other one is no DICOM."""
    picture = place / "in" / "a.png"
    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (80, 1))).save(picture)
    shutil.copy(picture, place / "in" / "a_noext")
    for summary in (look(place)[0], go(place)):
        assert summary.released == GOOD + 1
        assert summary.quarantined == {"unreadable": 1, "not-dicom": 1}


def test_dicom_is_read_under_any_name_and_pictures_under_theirs(place):
    (place / "in" / "clinic-a" / "cr-0001.dcm").rename(place / "in" / "clinic-a" / "a.png")
    assert go(place).released == GOOD


def test_a_damaged_picture_of_any_kind_does_not_end_the_run(place, monkeypatch):
    def broken(*_args, **_kwargs):
        raise TypeError("Missing dimensions")

    Image.fromarray(np.tile(np.arange(90, dtype=np.uint8), (80, 1))).save(place / "in" / "p.tif")
    monkeypatch.setattr("latentdp.data.png._grey", broken)
    summary = go(place)
    assert summary.quarantined == {"unreadable": 2}


def test_names_that_are_no_text_are_handled(place):
    odd = os.fsencode(place / "in") + b"/\xff\xfe.dcm"
    Path(os.fsdecode(odd)).write_bytes(b"nothing")
    (place / "in" / "red\x1b[31m").write_bytes(b"")
    summary = go(place)
    assert summary.accounted == summary.inputs == GOOD + BROKEN + 2


def test_the_same_bytes_twice_are_one_release(place):
    shutil.copy(place / "in" / "clinic-a" / "cr-0001.dcm", place / "in" / "copy")
    summary = go(place)
    assert (summary.released, summary.duplicates) == (GOOD, 1)
    assert summary.most_images == 2


def test_a_copy_of_a_refused_file_is_refused_too(place):
    shutil.copy(place / "in" / "clinic-b" / "broken.dcm", place / "in" / "copy")
    for summary in (look(place)[0], go(place)):
        assert (summary.released, summary.duplicates) == (GOOD, 0)
        assert summary.quarantined == {"unreadable": 2}


def test_nothing_to_do_is_an_error(place):
    (place / "empty").mkdir()
    with pytest.raises(InputError, match="no files"):
        go(place, source="empty")
    with pytest.raises(InputError, match="there is none"):
        go(place, source="none")
    assert not (place / "out").exists()
    assert not (place / "vault").exists()


def test_nothing_usable_has_exit_code_2(place):
    shutil.rmtree(place / "in" / "clinic-a")
    for path in (place / "in" / "clinic-b").glob("IM*"):
        path.unlink()
    summary = go(place)
    assert summary.exit_code == 2
    assert summary.quarantined == {"unreadable": 1}


def test_links_are_not_followed_but_accounted_for(place):
    (place / "in" / "loop").symlink_to(place / "in")
    (place / "in" / "dangling").symlink_to(place / "nowhere")
    os.mkfifo(place / "in" / "pipe")
    summary = go(place)
    assert summary.inputs == summary.accounted == GOOD + BROKEN + 3
    assert summary.quarantined["not-a-file"] == 3


@pytest.mark.data
@pytest.mark.parametrize("folder", ["radiograph", "nasty"])
def test_real_and_nasty_files_are_all_accounted_for(shared_data, tmp_path, folder):
    source = shared_data / "dicom" / folder
    shutil.copytree(source, tmp_path / "in")
    summary = go(tmp_path)
    total = sum(summary.quarantined.values()) + summary.released + summary.duplicates
    assert total == summary.inputs == len(find_files(source))
    if folder == "radiograph":
        assert summary.released == 3, "the three human chests"
    for path in (tmp_path / "out" / "images").iterdir():
        assert pydicom.dcmread(path).pixel_array.shape == SHAPE
