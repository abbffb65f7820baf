"""The journals of version 0.1, lines of JSON beside the ledger: they are read, and never changed.

``twins.jsonl`` held the links between equal pictures, ``places/RELEASE.jsonl`` where the outputs
of a release lie. `latentdp.vault.index_file` takes over what they hold.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from latentdp.errors import InputError

__all__ = ["read_journal"]


def read_journal(
    path: Path, fields: Sequence[str], start: int = 0
) -> tuple[list[tuple[str, ...]], int]:
    """The values of some fields of each line, in order, and the byte at which the last one ends.

    A torn last line, of a run that died while it wrote it, promised nothing and is passed over.

    Args:
        path: The journal; none is as an empty one.
        fields: Which every line has, as text.
        start: Byte at which the first line begins.

    Raises:
        InputError: A line is damaged.
    """
    try:
        with path.open("rb") as file:
            file.seek(start)
            lines = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return [], start
    lines = lines[: lines.rfind(b"\n") + 1]
    try:
        rows = [json.loads(line) for line in lines.splitlines()]
        values = [tuple(row[field] for field in fields) for row in rows]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error
    if not all(isinstance(value, str) for row in values for value in row):
        raise _damaged(path)
    return values, start + len(lines)


def _damaged(path: Path) -> InputError:
    return InputError(f"the vault's {path.name} is damaged; restore it from a copy")
