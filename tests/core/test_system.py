"""What systems differ in: who may enter a folder, how long a path is, how names are written."""

import os
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest

from latentdp import InputError
from latentdp.core import system
from latentdp.core.system import (
    below,
    can_be_made,
    closes_new_folders,
    file_key,
    folded,
    is_private,
    keeps_modes,
    lies_in,
    longest_path,
)
from latentdp.data.label_space import LabelSpace
from latentdp.data.label_table import names_in_tables
from latentdp.data.labels import read_labels
from latentdp.release.folders import check_apart, check_lengths
from latentdp.release.inputs import find_files, name_below
from latentdp.reports.layout import Layout, mirrored
from latentdp.vault.vault import Vault
from tests.support import old_vault
from tests.support.folders import go, radiograph_at
from tests.support.places import SAMPLES
from tests.support.printed import errors_of


@pytest.fixture
def no_modes(monkeypatch):
    """A file system as of a USB stick or a share: whatever is asked for, all may do all."""
    monkeypatch.setattr(system.stat, "S_IMODE", lambda _: 0o777)


@pytest.mark.promise(
    "A vault that others can enter is refused; where nothing can close it, the command says so."
)
def test_an_open_vault_is_refused_where_it_could_be_closed(tmp_path):
    folder = tmp_path / "v"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    assert keeps_modes(folder)
    assert not is_private(folder)
    with pytest.raises(InputError, match="0700"):
        Vault(folder)
    assert not list(folder.iterdir()), "what was tried there is gone"


def test_a_vault_that_nothing_can_close_is_used_and_warned_of(
    tmp_path, no_modes, command, tiny_weights, capsys
):
    call = ("privatize", SAMPLES / "clinic-a", tmp_path / "out", "--weights", tiny_weights)
    assert command(*call, "--vault", tmp_path / "v") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "WARNING others may be able to read the vault: its file system keeps no perm" in told
    assert command(*call, "--vault", tmp_path / "v", "--dry-run") == 0


def test_windows_closes_folders_by_itself_or_is_warned_of(tmp_path, monkeypatch):
    """By an access list that Python makes; a mode there tells nothing."""
    (tmp_path / "open").mkdir(mode=0o755)
    assert closes_new_folders()
    with monkeypatch.context() as patch:
        patch.setattr(system.os, "name", "nt")
        assert is_private(tmp_path / "open")
        for version, closes in {
            (3, 11, 9): False, (3, 11, 10): True, (3, 12, 3): False, (3, 12, 4): True,
            (3, 13, 0): True,
        }.items():  # fmt: skip
            patch.setattr(system.sys, "version_info", version)
            assert closes_new_folders() is closes


WITHOUT = (
    "import sys\n"
    "for name in ('fcntl', 'resource', 'pwd', 'grp', 'termios'):\n"
    "    sys.modules[name] = None\n"  # as on Windows
    "from latentdp._cli import main\n"
    "sys.exit(main())\n"
)


def as_on_windows(place: Path, *arguments: str) -> tuple[int, str, str]:
    """The command in a process that has none of the modules that Windows lacks."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT, *arguments],
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_the_command_starts_without_what_windows_lacks(tmp_path):
    assert "privatize" in as_on_windows(tmp_path, "--help")[1]


@pytest.mark.slow
def test_a_release_needs_nothing_that_windows_lacks(tmp_path):
    old_vault.restore(tmp_path)
    code, _, errors = as_on_windows(
        tmp_path, "privatize", "in", "new", "--vault", "new vault", "--preset", "dp-glow",
        "--weights", "flow.safetensors",
    )  # fmt: skip
    assert (code, errors_of(errors)) == (1, []), "one file is quarantined"
    assert len(list((tmp_path / "new" / "images").iterdir())) == 3


def test_a_drive_that_is_not_there_is_no_place(monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert not can_be_made(Path("/z/out"))


class WindowsPath(PureWindowsPath):
    """A path of Windows whose folder is there."""

    def is_dir(self) -> bool:
        return True


def test_names_on_windows_are_those_of_other_systems(tmp_path):
    source = WindowsPath(r"C:\data\in")
    name = name_below(source, source / "Doe, Jane" / "day 1" / "b.DCM")
    assert name == "Doe, Jane/day 1/b.DCM"
    assert mirrored(name, ".dcm") == "Doe, Jane/day 1/b.dcm"
    table = tmp_path / "labels.csv"
    table.write_text('file,label\n".\\Doe, Jane\\day 1\\b.DCM",a\n')
    assert read_labels(table, LabelSpace.of_classes("a")) == {name: 0}


def test_a_table_of_another_system_names_the_same_files(tmp_path):
    """Backslashes of Windows, and letters that macOS writes in two parts."""
    (tmp_path / "M\u00fcller").mkdir()
    for name in ("M\u00fcller/1.dcm", "2.dcm"):
        (tmp_path / name).write_bytes(b"")
    assert below(tmp_path, "M\u00fcller\\1.dcm").is_file()
    assert below(tmp_path, "2.dcm") == tmp_path / "2.dcm"
    assert (
        file_key("Mu\u0308ller\\1.dcm") == file_key(" ./M\u00fcller//1.dcm") == "M\u00fcller/1.dcm"
    )
    assert folded("MU\u0308LLER") == folded("m\u00fcller") != folded("muller")
    files = find_files(tmp_path)
    assert names_in_tables(f.name for f in files) == [
        ["2.dcm", "2.dcm"],
        ["M\u00fcller/1.dcm", "1.dcm"],
    ]
    assert names_in_tables(["a/1", "b/1"]) == [["a/1"], ["b/1"]]


def test_folders_are_apart_however_they_are_spelled(tmp_path, monkeypatch):
    """On macOS and Windows ``In`` and ``in`` are one folder."""
    (tmp_path / "in").mkdir()
    assert lies_in(tmp_path / "in" / "new" / "out", tmp_path / "in")
    assert not lies_in(tmp_path / "in 2", tmp_path / "in")
    assert not lies_in(tmp_path / "IN" / "out", tmp_path / "in")
    monkeypatch.setattr(
        Path, "samefile", lambda self, other: str(self).lower() == str(other).lower()
    )
    assert lies_in(tmp_path / "IN" / "out", tmp_path / "in")
    with pytest.raises(InputError, match="the output must not lie inside the input"):
        check_apart(tmp_path / "in", tmp_path / "IN" / "out", tmp_path / "vault")


def test_paths_that_are_too_long_are_refused_before_anything_is_charged(tmp_path, monkeypatch):
    name = "/".join(["d" * 100] * 3)
    radiograph_at(tmp_path / "in" / name, 1)
    place = len(os.fsencode(tmp_path / "out" / "images")) + 1
    monkeypatch.setattr("latentdp.release.folders.longest_path", lambda: place + 200)
    with pytest.raises(InputError, match="LongPathsEnabled"):
        go(tmp_path, layout="mirror")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "vault").exists()
    summary = go(tmp_path, layout="study")
    paths = [len(str(p.relative_to(tmp_path / "out" / "images"))) for p in images(tmp_path)]
    assert summary.released == 1
    assert max(paths) <= Layout.STUDY.longest([])


def images(place: Path) -> list[Path]:
    return [p for p in (place / "out" / "images").rglob("*") if p.is_file()]


def test_windows_takes_260_characters_unless_it_is_told(monkeypatch):
    assert longest_path() > 1000
    with monkeypatch.context() as patch:
        patch.setattr(system.os, "name", "nt")
        assert longest_path() == 259
        patch.setattr(system, "_takes_long_paths", lambda: True)
        assert longest_path() > 32_000


@pytest.mark.parametrize("layout", list(Layout))
def test_every_path_of_a_layout_is_within_what_was_checked(layout):
    check_lengths(Path("/o"), layout, ["a/b.dcm"])
    flat = len(f".{'0' * 32}.dcm.-1.part") + len(".") + len(".tmp")
    assert Layout.FLAT.longest([]) >= flat
    assert Layout.MIRROR.longest(["a" * 300]) >= 240 + len("-01234567-2.dcm") - len(".dcm")
