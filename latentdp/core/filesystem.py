"""Files that are written whole or not at all, their digests, and locks between processes."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

__all__ = [
    "EPOCH",
    "alone",
    "digest",
    "read_json_lines",
    "replace",
    "whole",
    "write_json",
    "write_text",
]

POLL = 0.01  # seconds between two looks at a lock that another process holds
PATIENCE = 2.0  # seconds for a program that looks at a file on Windows, such as a virus scanner

# What is handed over carries this modification time: when it was written says something of it.
EPOCH = 946_684_800  # 2000-01-01


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Gives a hidden temporary name beside ``path``; what was written there becomes ``path``.

    It is flushed to the disk and renamed at the end. An exception leaves nothing; a crash leaves
    the old file or the new one, and at most ``.NAME.tmp`` beside it.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replace(file: Path, path: Path) -> None:
    """Renames a file, over another one if there is one.

    Windows refuses while another program has either open; virus scanners and search indexers have
    new files open for a moment, which is waited for.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            file.replace(path)
        except PermissionError:
            if os.name != "nt" or time.monotonic() > until:
                raise
            time.sleep(POLL)
        else:
            return


def write_text(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Writes UTF-8 text whole or not at all, into a file of this mode less the umask."""
    with whole(path) as temporary:
        temporary.touch(mode)
        temporary.write_text(text, encoding="utf-8", newline="")


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, data: Any) -> None:
    """Writes JSON, whole or not at all."""
    write_text(path, json.dumps(data, indent=2) + "\n")


def read_json_lines(path: Path) -> Iterator[Any]:
    """The values of a file that lines are added to; one that a dying run tore is passed over."""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        yield value


@contextmanager
def alone(lock: Path, *, wait: bool, stays: bool = True) -> Iterator[None]:
    """Holds a lock among all processes, of all machines, until the block or the process ends.

    Args:
        lock: An empty file that stands for it, made where there is none.
        wait: For another holder to let go.
        stays: Whether the file is left when the block ends. Who waited for one that is gone finds
            that it has no name any more, and looks again. (On Windows it always goes.)

    Raises:
        BlockingIOError: Another one holds it, and ``wait`` is false.
        OSError: The file cannot be made, or its file system has no locks.
    """
    # No lock by a file that is there: of a process that died it would stay, and bar all others.
    file = FileLock(lock, fallback_to_soft=False, poll_interval=POLL)
    try:
        held = file.acquire(blocking=wait)
    except Timeout:
        raise BlockingIOError(f"{lock.name} is held by another process") from None
    with held:
        try:
            yield
        finally:
            if not stays and os.name != "nt":
                lock.unlink(missing_ok=True)
