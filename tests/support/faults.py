"""A file system that fails at one write after another, as where a disk is full.

What opens a file for writing, makes a folder or renames something below a folder is a write. They
are seen by an audit hook of the interpreter (PEP 578), which is told before anything happens, also
by libraries; it stays for good, and does nothing while no `Faults` is open.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Faults"]

_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Faults:
    """Counts writes below a folder, and has one of them fail.

    Args:
        folder: Where.
        fails: The number of the write that fails, counted from 1; 0 for none.

    Attributes:
        count: How many writes were tried.
    """

    def __init__(self, folder: Path, fails: int = 0) -> None:
        self.folder, self.fails, self.count = str(folder), fails, 0

    @contextmanager
    def armed(self) -> Iterator[Faults]:
        """While it is open writes are counted."""
        global _open
        _open = self
        try:
            yield self
        finally:
            _open = None

    def meet(self, event: str, arguments: tuple[Any, ...]) -> None:
        """What the interpreter is about to do."""
        if not _writes(event, arguments):
            return
        places = [
            os.fsdecode(p) for p in arguments[:2] if isinstance(p, (str, bytes, os.PathLike))
        ]
        if not any(place.startswith(self.folder) for place in places):
            return
        self.count += 1
        if self.count == self.fails:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), places[0])


_open: Faults | None = None


def _writes(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "open":
        _, mode, flags = arguments
        if isinstance(mode, str):
            return bool(set(mode) & set("wax+"))
        return bool(flags & _FLAGS)
    # A folder that is there already is not made, and nothing is written.
    made = event == "os.mkdir" and not Path(os.fsdecode(arguments[0])).is_dir()
    return made or event == "os.rename"


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _open is not None:
        _open.meet(event, arguments)


sys.addaudithook(_hook)
