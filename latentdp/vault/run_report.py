"""The private report of a run: one row of JSON for each input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from latentdp.core.filesystem import write_text

__all__ = ["SHARED", "RunReport", "read_report"]

# Of two different files with one SOP Instance UID, at least one is wrong about itself.
SHARED = "same SOP Instance UID as another file of this run, with a different picture"


def read_report(path: Path) -> list[dict[str, Any]]:
    """The rows of a report; a torn last one, of a run that died, is passed over."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


class RunReport:
    """Rows on the disk as they come; a context manager.

    Args:
        path: File, in the vault.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w", encoding="utf-8")
        self._keys: dict[str, set[str]] = {}
        self._claims: dict[str, str] = {}

    def __enter__(self) -> RunReport:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, row: dict[str, Any]) -> None:
        """Adds the row of one input."""
        self._file.write(json.dumps(row) + "\n")

    def flush(self) -> None:
        """Hands what was added to the operating system."""
        self._file.flush()

    def claims(self, file: str, instance: str, key: str) -> None:
        """Notes the SOP Instance UID of a file that was read, and the key of its release."""
        if instance:
            self._claims[file] = instance
            self._keys.setdefault(instance, set()).add(key)

    def finish(self) -> None:
        """Marks the rows of different files that claim one SOP Instance UID."""
        self._file.close()
        shared = {instance for instance, keys in self._keys.items() if len(keys) > 1}
        if not shared:
            return
        rows = [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]
        for row in rows:
            if self._claims.get(row["file"]) in shared:
                row["note"] = SHARED
        write_text(self._path, "".join(json.dumps(row) + "\n" for row in rows))
