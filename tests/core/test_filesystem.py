"""Files that are written whole or not at all, and locks between processes."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from latentdp.core import filesystem
from latentdp.core.filesystem import alone, write_text

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


def test_a_lock_whose_file_goes_lets_one_in_at_a_time(tmp_path):
    """Who opened the file before it went holds nothing, and looks again."""
    inside, most, times = [], [], 20

    def enter():
        for _ in range(times):
            with alone(tmp_path / "lock", wait=True, stays=False):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 4 * times
    assert not (tmp_path / "lock").exists()


def test_a_file_that_a_program_has_open_on_windows_is_waited_for(tmp_path, monkeypatch):
    """As a virus scanner has a new one; another system refuses for a reason that stays."""
    real, refusals = Path.replace, []

    def refused(file, path):
        if len(refusals) < 3:
            refusals.append(path)
            raise PermissionError(13, "in use")
        return real(file, path)

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(PermissionError):
        write_text(tmp_path / "file", "text")
    with monkeypatch.context() as patch:
        patch.setattr(filesystem.os, "name", "nt")
        write_text(tmp_path / "file", "text")
    assert (tmp_path / "file").read_text() == "text"
    assert len(refusals) == 3
