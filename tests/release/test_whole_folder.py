"""What may lie in an input folder, and what may fail around it."""

import os
import resource
import shutil
import socket
import tempfile
import time
from pathlib import Path

import pytest

from latentdp import Aborted, InputError
from latentdp.release.outputs import MARK
from latentdp.vault.drafts import Drafts
from latentdp.vault.index_file import IndexFile
from tests.support.folders import go, images, look, radiograph_at, rows, tree

NOBODY = 65534


@pytest.fixture
def place(tmp_path):
    radiograph_at(tmp_path / "in" / "a" / "b" / "c" / "1", 1)
    radiograph_at(tmp_path / "in" / "2.dcm", 2)
    return tmp_path


@pytest.fixture
def ordinary_user():
    """A folder of, and for this test a process of, a user whom permissions bind."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        radiograph_at(place / "in" / "1", 1)
        go(place, "warm")  # loads what a run loads late
        if os.geteuid() == 0:
            for path in (place, *place.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            yield place
        finally:
            if os.getuid() == 0:
                os.seteuid(0)
            for path in (place, *place.rglob("*")):
                if path.is_dir() and not path.is_symlink():
                    path.chmod(0o700)


def test_links_are_read_if_they_lead_to_a_file(place):
    """Data sets are often folders of links; a linked folder could lead round in circles."""
    radiograph_at(place / "elsewhere" / "3", 3)
    inner, outer = place / "in" / "a", place / "elsewhere"
    (inner / "loop").symlink_to(place / "in")
    (inner / "self").symlink_to("self")
    (inner / "out of the tree").symlink_to(outer)
    (inner / "dangling").symlink_to("nowhere")
    (inner / "2 again").symlink_to(place / "in" / "2.dcm")
    (inner / "3").symlink_to(outer / "3")
    summary = go(place, layout="mirror")
    assert (summary.released, summary.duplicates) == (3, 1)
    assert summary.quarantined == {"not-a-file": 4}
    assert "a/3.dcm" in images(place)
    assert summary.inputs == len(rows(summary)) == 8


def test_devices_sockets_and_pipes_are_not_opened(place):
    os.mkfifo(place / "in" / "pipe.dcm")
    (place / "in" / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(place / "in")  # a socket's path is short
        try:
            made.bind("socket.png")
        finally:
            os.chdir(here)
        summary = go(place)
    assert (summary.released, summary.quarantined["not-a-file"]) == (2, 3)


def test_what_may_not_be_read_is_told(ordinary_user):
    place = ordinary_user
    for name in ("closed", "listed"):
        radiograph_at(place / "in" / name / "x", 2)
        (place / "in" / name / "folder").mkdir()
    radiograph_at(place / "in" / "mine.dcm", 3).chmod(0)
    (place / "in" / "closed").chmod(0)
    (place / "in" / "listed").chmod(0o400)
    summary = go(place)
    told = {name: row.get("reason") for name, row in rows(summary).items()}
    assert (summary.released, summary.already) == (0, 1)
    assert told.pop("1") is None
    assert told.pop("mine.dcm") == "unreadable"
    assert told.pop("closed") == "not-a-file"
    assert told.pop("listed/x") == "unreadable"
    assert set(told) <= {"listed/folder"}
    assert summary.accounted == summary.inputs


def test_a_folder_that_cannot_be_made_is_refused_beforehand(ordinary_user):
    place = ordinary_user
    (place / "closed").mkdir(mode=0o500)
    for call in (go, look):
        with pytest.raises(Exception, match="cannot be made") as caught:
            call(place, "closed/deep/out")
        assert caught.value.exit_code == 2
    assert list((place / "closed").iterdir()) == []
    (place / "closed").chmod(0)
    for options in ({"out": "closed/out"}, {"source": "closed/x"}, {"vault": place / "closed/v"}):
        for call in (go, look):
            with pytest.raises(InputError, match="let into"):
                call(place, **options)


def test_read_only_input_is_enough(ordinary_user):
    place = ordinary_user
    radiograph_at(place / "in" / "deep" / "2", 2)
    for path in (*(place / "in").rglob("*"), place / "in"):
        path.chmod(0o500 if path.is_dir() else 0o400)
    assert go(place, "new", layout="mirror").exit_code == 0


def test_odd_names_and_empty_folders(place):
    folder = place / "in" / os.fsdecode(b"\xc3\x28 \xff")
    (folder / "empty" / "deep").mkdir(parents=True)
    radiograph_at(folder / ("n" * 250), 3)
    radiograph_at(folder / os.fsdecode(b"\x80.dcm"), 4)
    deep = place / "in"
    for _ in range(12):
        deep = deep / ("d" * 100)
    radiograph_at(deep / "5", 5)
    for layout in ("flat", "study", "mirror"):
        summary = go(place, layout, layout=layout)
        assert summary.inputs == summary.released + summary.already == 5
        assert len(images(place, layout)) == 5
    assert not [p for p in (place / "mirror").rglob("*") if p.is_dir() and not any(p.iterdir())]


def test_ten_thousand_files_of_junk_take_seconds(place):
    for i in range(100):
        folder = place / "in" / f"{i:02}"
        folder.mkdir()
        for j in range(100):
            (folder / f"{j}").write_bytes(b"%d" % (100 * i + j))
    start = time.process_time()
    summary = go(place)
    assert summary.quarantined == {"not-dicom": 10_000}
    assert summary.released == 2
    assert time.process_time() - start < 30


@pytest.mark.parametrize("layout", ["flat", "study", "mirror"])
def test_a_file_system_that_takes_no_more_bytes(place, monkeypatch, layout):
    """A real short write in the middle of a draft; nothing of it stays."""
    real = Drafts.write

    def short(*arguments):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600, before[1]))
        try:
            return real(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    with monkeypatch.context() as patch:
        patch.setattr(Drafts, "write", short)
        with pytest.raises(Aborted, match="nothing half-written was left"):
            go(place, layout=layout)
    left = {p.name for p in (place / "out").rglob("*") if p.is_file()}
    assert left == {MARK, "compliance.json", "release.json", "release.html"}
    assert not list((place / "vault" / "drafts").iterdir())
    assert go(place, layout=layout).released == 2


@pytest.mark.parametrize("table", ["add_places", "add_duplicates"])
def test_a_full_disk_under_the_vault(place, monkeypatch, table):
    """A real short write in the middle of a transaction; the next run goes on."""
    real = getattr(IndexFile, table)

    def short(*arguments):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600, before[1]))
        try:
            return real(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    with monkeypatch.context() as patch:
        patch.setattr(IndexFile, table, short)
        with pytest.raises(Aborted, match="the vault's index could not be read or written"):
            go(place, layout="mirror")
    summary = go(place, layout="mirror")
    assert (summary.released, images(place)) == (2, ["2.dcm", "a/b/c/1.dcm"])


def test_the_input_is_as_it_was(place):
    (place / "in" / "junk").write_bytes(b"x")
    before = tree(place / "in")
    times = {p: p.stat().st_mtime_ns for p in before}
    go(place, layout="mirror", mapping=place / "map.csv")
    assert tree(place / "in") == before
    assert {p: p.stat().st_mtime_ns for p in before} == times


def test_one_file_is_an_input_too(place):
    shutil.move(place / "in" / "2.dcm", place / "Doe.dcm")
    assert go(place, source="Doe.dcm", layout="mirror").released == 1
    assert images(place) == ["Doe.dcm"]
