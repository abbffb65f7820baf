"""Files that are written whole or not at all, their digests, and locks between processes."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

__all__ = ["alone", "can_be_made", "digest", "is_private", "whole", "write_json", "write_text"]

POLL = 0.01  # seconds between two looks at a lock that another process holds


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
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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


def is_private(folder: Path) -> bool:
    """Whether only its owner may enter a folder, as far as its mode tells: on Windows it does not.

    There a folder has an access list, which it takes from the folder above: a user's own folders
    are closed to other users.
    """
    return os.name == "nt" or not stat.S_IMODE(folder.stat().st_mode) & 0o077


@contextmanager
def alone(lock: Path, *, wait: bool) -> Iterator[None]:
    """Holds a lock among all processes, of all machines, until the block or the process ends.

    Args:
        lock: An empty file that stands for it, made where there is none. It stays: removed, it
            could let two in on a network file system. (On Windows it goes, which is safe there.)
        wait: For another holder to let go.

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
        yield


def can_be_made(folder: Path) -> bool:
    """Whether this user may make a folder, and those above it that are missing.

    Raises:
        PermissionError: One above it cannot be entered.
    """
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    ours = os.access in os.supports_effective_ids
    return above.is_dir() and os.access(above, os.W_OK | os.X_OK, effective_ids=ours)
