"""A file of JSON lines that only grows: what a vault remembers beside its ledger."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from latentdp.errors import InputError

__all__ = ["Journal"]


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
