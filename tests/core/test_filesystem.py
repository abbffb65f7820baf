"""Locks between processes, what a system has for closing a folder, and paths of another system."""

import subprocess
import sys
import time
from pathlib import Path, PureWindowsPath

import pytest

from latentdp import InputError
from latentdp.core import filesystem
from latentdp.core.filesystem import alone, is_private, write_text
from latentdp.data import labels
from latentdp.release.inputs import name_below
from latentdp.reports.layout import mirrored
from latentdp.vault.vault import Vault
from tests.support import old_vault

HOLD = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from latentdp.core.filesystem import alone\n"
    "with alone(Path(sys.argv[1]), wait=True):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)\n"
)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_what_was_there(tmp_path, monkeypatch, error):
    def fail(descriptor):
        raise error

    write_text(tmp_path / "old", "old")
    monkeypatch.setattr(filesystem.os, "fsync", fail)
    for name in ("old", "new"):
        with pytest.raises(type(error)):
            write_text(tmp_path / name, "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old", "old")]


def test_a_lock_is_held_until_the_block_or_the_process_ends(tmp_path, holder):
    with (
        pytest.raises(BlockingIOError, match="lock is held"),
        alone(tmp_path / "lock", wait=False),
    ):
        pass
    holder.kill()  # as it dies, it cannot tidy up
    began = time.monotonic()
    with alone(tmp_path / "lock", wait=True):
        pass
    with alone(tmp_path / "lock", wait=False):
        pass
    assert time.monotonic() - began < 30
    assert (tmp_path / "lock").read_bytes() == b""


def test_what_fails_in_a_block_lets_go(tmp_path):
    with pytest.raises(KeyError), alone(tmp_path / "lock", wait=False):
        raise KeyError
    with alone(tmp_path / "lock", wait=False):
        pass


def test_a_system_without_modes_does_not_refuse_every_folder(tmp_path, monkeypatch):
    folder = tmp_path / "v"
    folder.mkdir(mode=0o755)
    assert not is_private(folder)
    with pytest.raises(InputError, match="0700"):
        Vault(folder)
    with monkeypatch.context() as patch:
        patch.setattr(filesystem.os, "name", "nt")
        assert is_private(folder)


WITHOUT = (
    "import sys\n"
    "sys.modules['fcntl'] = None\n"  # as on Windows
    "from latentdp._cli import main\n"
    "sys.exit(main())\n"
)


def without_fcntl(place: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT, *arguments],
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_the_command_starts_without_fcntl(tmp_path):
    assert "privatize" in without_fcntl(tmp_path, "--help")[1]


@pytest.mark.slow
def test_a_release_needs_no_fcntl(tmp_path):
    old_vault.restore(tmp_path)
    code, _, errors = without_fcntl(
        tmp_path, "privatize", "in", "new", "--vault", "new vault", "--preset", "dp-glow",
        "--weights", "flow.safetensors",
    )  # fmt: skip
    assert (code, errors) == (1, ""), "one file is quarantined"
    assert len(list((tmp_path / "new" / "images").iterdir())) == 3


class WindowsPath(PureWindowsPath):
    """A path of Windows whose folder is there."""

    def is_dir(self) -> bool:
        return True


def test_names_on_windows_are_those_of_other_systems(tmp_path, monkeypatch):
    source = WindowsPath(r"C:\data\in")
    name = name_below(source, source / "Doe, Jane" / "day 1" / "b.DCM")
    assert name == "Doe, Jane/day 1/b.DCM"
    assert mirrored(name, ".dcm") == "Doe, Jane/day 1/b.dcm"
    table = tmp_path / "labels.csv"
    table.write_text('file,label\n"Doe, Jane\\day 1\\b.DCM",a\n')
    with monkeypatch.context() as patch:
        patch.setattr(labels, "Path", PureWindowsPath)
        assert labels.read_labels(table, ("a",)) == {name: 0}
