"""Files that are written whole or not at all, their digests, and locks between processes."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["alone", "digest", "whole", "write_json", "write_text"]


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


@contextmanager
def alone(path: Path, *, wait: bool) -> Iterator[int]:
    """Holds a folder, or a file (made where there is none), until the block or process ends.

    Args:
        path: What to hold.
        wait: For another holder to let go.

    Yields:
        The descriptor; of a file for reading and writing.

    Raises:
        BlockingIOError: Another process holds it, and ``wait`` is false.
    """
    # A file is opened for writing: a network file system locks no other.
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    handle = os.open(path, flags | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield handle
    finally:
        os.close(handle)
