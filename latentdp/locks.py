"""Locks between processes: a file or folder that one of them at a time may hold."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["alone"]


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
