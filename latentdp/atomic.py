"""Files that are written whole or not at all: the one way in which the project writes a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["whole", "write_text"]


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
