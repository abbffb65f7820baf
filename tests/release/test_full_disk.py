"""Wherever a write fails, nothing half-written is left, nothing is lost and nothing paid twice."""

import csv
import errno
import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from latentdp.core.filesystem import digest
from latentdp.vault.vault import Vault
from tests.support.faults import Faults
from tests.support.folders import charges
from tests.support.places import SAMPLES
from tests.support.printed import errors_of
from tests.support.sweeps import slow, some

IMAGES = 3
SHARDS = 36


@pytest.fixture
def place(tmp_path):
    shutil.copytree(SAMPLES / "clinic-a", tmp_path / "in")
    return tmp_path


@pytest.fixture
def run(place, command, tiny_weights, capsys):
    """Runs a release in a folder of its own; returns the exit code and the lines of errors."""
    with (place / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("file", "label"))
        rows.writerows((path.name, "ab"[i % 2]) for i, path in enumerate((place / "in").iterdir()))

    def privatize(at: Path):
        code = command(
            "privatize", place / "in", at / "out", "--vault", at / "vault", "--layout", "mirror",
            "--labels", place / "labels.csv", "--mapping-out", at / "map.csv", "--size", 16,
            "--weights", tiny_weights,
        )  # fmt: skip
        return code, errors_of(capsys.readouterr().err)

    return privatize


def check_told(at: Path, code: int, errors: list[str]) -> None:
    """One line, which names no path."""
    assert code in (2, 5), errors
    assert len(errors) == 1
    assert errors[0].startswith("latentdp: ")
    assert str(at) not in errors[0]


def check_left(at: Path) -> None:
    """Under final names lies only what is whole and recorded."""
    out = at / "out"
    if (out / "release.json").exists():
        assert json.loads((out / "release.json").read_text())["tool"] == "latentdp"
    if (out / "release.html").exists():
        assert (out / "release.html").read_text().rstrip().endswith("</html>")
    images = [p for p in (out / "images").glob("*") if not p.name.startswith(".")]
    if images:
        ledger = Vault(at / "vault").ledger()
        ledger.verify()
        ledger.close()
        assert {digest(path) for path in images} <= recorded(at)


def recorded(at: Path) -> set[str]:
    """Digests of all outputs that the ledger knows to be written."""
    with closing(sqlite3.connect(at / "vault" / "ledger.sqlite")) as ledger:
        rows = ledger.execute("select sha256 from latentdp_ledger where kind = 'written'")
        return {sha256 for (sha256,) in rows}


def check_finished(at: Path, code: int, errors: list[str], command) -> None:
    """Each image once, paid for once; no left-overs; all claims hold."""
    assert (code, errors) == (0, [])
    assert len(list((at / "out" / "images").iterdir())) == IMAGES
    counts = charges(at)
    assert (counts["reserve"], counts["written"]) == (IMAGES, IMAGES)
    assert not list((at / "vault" / "drafts").iterdir())
    assert {p.name for p in at.rglob(".*")} == {".latentdp"}
    assert len((at / "map.csv").read_text().splitlines()) > IMAGES
    assert command("verify", at / "out") == 0


@pytest.mark.promise(
    "Wherever a disk is full, a run ends with one line, leaves nothing half-written, and the same "
    "command goes on without paying twice."
)
@pytest.mark.parametrize("shard", some(range(SHARDS), [7]))
def test_wherever_a_write_fails_the_next_run_completes(place, run, command, shard):
    (place / "0").mkdir()
    with Faults(place / "0").armed() as clean:
        code, errors = run(place / "0")
    check_finished(place / "0", code, errors, command)
    assert clean.count > 40
    for number in range(1 + shard, clean.count + 1, SHARDS):
        at = place / str(number)
        at.mkdir()
        with Faults(at, number).armed() as faults:
            code, errors = run(at)
        assert faults.count >= number
        check_told(at, code, errors)
        check_left(at)
        check_finished(at, *run(at), command)


@pytest.fixture
def disk(tmp_path):
    """Makes a file system of so many bytes, and has it grow; of memory, which root may mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = []

    def resize(size: int) -> Path:
        how = "remount," if mounted else ""
        call = ["mount", "-t", "tmpfs", "-o", f"{how}size={size}", "tmpfs", folder]
        done = subprocess.run(call, capture_output=True, check=False)
        if done.returncode:
            pytest.skip("a small file system cannot be mounted here")
        mounted.append(size)
        return folder

    if os.name == "nt" or shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    yield resize
    if mounted:
        subprocess.run(["umount", folder], check=False)


@pytest.mark.parametrize("share", some([i / 20 for i in range(1, 20)], [0.7]))
def test_a_disk_that_is_really_full(place, run, command, disk, share):
    """Short writes in the middle of files and of databases, as the kernel refuses them."""
    page, roomy = 4096, 64 * 2**20
    at = disk(roomy)
    check_finished(at, *run(at), command)
    used = sum(-(-p.stat().st_size // page) * page for p in at.rglob("*") if p.is_file())
    for path in at.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    disk(int(share * used) // page * page)
    code, errors = run(at)
    check_told(at, code, errors)
    assert "full" in errors[0] or "No space left" in errors[0]
    disk(roomy)
    check_left(at)
    check_finished(at, *run(at), command)


@pytest.mark.parametrize("command_", ["report", slow("synthesize")])
def test_other_commands_end_with_one_line_too(
    place, command, command_, tiny_weights, capsys, tmp_path
):
    out, vault = tmp_path / "made" / "out", tmp_path / "made" / "vault"
    (tmp_path / "made").mkdir()
    call = {
        "report": ("report", out),
        "synthesize": (
            "synthesize", place / "in", tmp_path / "made" / "set", "--labels", place / "l.csv",
            "--vault", vault, "--weights", tiny_weights, "--images", 2, "--epsilon", 8, "--json",
        ),
    }[command_]  # fmt: skip
    names = [p.name for p in (place / "in").iterdir()]
    (place / "l.csv").write_text("file,label\n" + "".join(f"{name},edema\n" for name in names))
    release = ("privatize", place / "in", out, "--weights", tiny_weights, "--vault", vault)
    assert command(*release) == 0
    capsys.readouterr()
    number, code = 1, 5
    while code != 0:
        with Faults(tmp_path / "made", number).armed() as faults:
            code = command(*call)
        errors = errors_of(capsys.readouterr().err)
        if faults.count < number:
            break
        assert code in (2, 5), errors
        assert [line[:10] for line in errors] == ["latentdp: "]
        number += 1
    assert number > 2
    assert command(*call) == 0


def test_the_folder_that_is_full_is_named_not_the_one_that_was_copied_from(
    run, place, monkeypatch
):
    """Vault and output folder may lie on two disks."""

    def on_another_disk(*_: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source), None, str(target))

    monkeypatch.setattr("latentdp.release.outputs.replace", on_another_disk)
    monkeypatch.setattr("latentdp.release.outputs.shutil.copyfile", full)
    code, errors = run(place)
    check_told(place, code, errors)
    assert errors[0].startswith("latentdp: a file in the output folder could not be written")


def test_a_place_where_no_folder_can_be_made_says_what_is_in_the_way(run, place):
    code, errors = run(place / "labels.csv")
    assert (code, len(errors)) == (2, 1)
    assert "what lies above it is no folder that may be written to" in errors[0]
