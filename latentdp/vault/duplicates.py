"""Which inputs are one picture of one patient: a single release stands for all of them.

Byte-identical files have one key anyway. Files that differ in their headers only have different
ones, and are found out once they have been read; from then on the second one's key leads to the
first one's, in this run and in all later ones. Only keyed digests are remembered.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from latentdp.errors import InputError

__all__ = ["DuplicateIndex"]


class DuplicateIndex:
    """The links of one vault.

    Args:
        path: File of the links.
    """

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._key = {row["digest"]: row["key"] for row in self._journal.read()}
        self._new: dict[str, str] = {}

    def key(self, key: str) -> str:
        """The key under which a content is released, as far as is known without reading it."""
        return self._key.get(key, key)

    def join(self, key: str, picture: str) -> str:
        """The key under which it is released, now that it has been read.

        Args:
            key: Keyed digest of its bytes, from `key`.
            picture: Keyed digest of its picture and its patient.
        """
        first = self._key.get(picture, key)
        for digest in {picture, key} - {first}:
            if self._key.get(digest) != first:
                self._key[digest] = self._new[digest] = first
        return first

    def keep(self) -> None:
        """Remembers, durably, what was found out."""
        self._journal.add({"digest": digest, "key": key} for digest, key in self._new.items())
        self._new.clear()


class Journal:
    """One such file; its first line makes it. Only the run that holds the vault adds to it.

    Args:
        path: The file. Its folder is made with it, closed to others.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._whole = 0  # bytes in whole lines

    def read(self) -> list[dict[str, str]]:
        """All lines. A torn last one, of a run that died while it wrote it, is passed over.

        Raises:
            InputError: A line is damaged.
        """
        try:
            data = self._path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return []
        self._whole = data.rfind(b"\n") + 1
        try:
            return [json.loads(line) for line in data[: self._whole].splitlines()]
        except ValueError as error:
            raise InputError(
                f"the vault's {self._path.name} is damaged; restore it from a copy"
            ) from error

    def add(self, rows: Iterable[dict[str, str]]) -> None:
        """Adds lines behind the last whole one; they are on the disk when this returns."""
        text = "".join(json.dumps(row) + "\n" for row in rows).encode("ascii")
        if not text:
            return
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            file.truncate(self._whole)
            file.seek(self._whole)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self._whole += len(text)
