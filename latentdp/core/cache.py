"""What has been worked out and may be needed again: in memory, and on the disk for a later run.

Files are safetensors and JSON under readable names. The usual libraries (diskcache, joblib) keep
pickles, which run what is in them when they are read, in folders that others may enter.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file
from safetensors.numpy import save as serialized

from latentdp.core.filesystem import whole, write_text

__all__ = ["Arrays", "ResultCache", "closed"]

Arrays = dict[str, NDArray[Any]]


class ResultCache:
    """Arrays and JSON values by name.

    Args:
        folder: Where they are kept, closed to others; None for memory alone. What stands there
            must have been made from the same inputs: name the folder after their digest.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._memory: dict[str, Any] = {}

    def below(self, name: str) -> ResultCache:
        """Results about something else, kept in a folder below."""
        return ResultCache(None if self._folder is None else self._folder / name)

    def arrays(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """The arrays of that name, made if nobody has."""
        if name not in self._memory:
            path = self._path(name, "safetensors")
            arrays = _read_arrays(path)
            if arrays is None:
                arrays = make()
                if path is not None:
                    contiguous = {key: np.ascontiguousarray(x) for key, x in arrays.items()}
                    with whole(path) as temporary:
                        temporary.touch(0o600)
                        temporary.write_bytes(serialized(contiguous))
            self._memory[name] = arrays
        return self._memory[name]  # type: ignore[no-any-return]

    def values(self, name: str, make: Callable[[], Any]) -> Any:
        """The JSON values of that name, made if nobody has."""
        if name not in self._memory:
            path = self._path(name, "json")
            values = _read_values(path)
            if values is None:
                values = make()
                if path is not None:
                    write_text(path, json.dumps(values), mode=0o600)
            self._memory[name] = values
        return self._memory[name]

    def thing(self, name: str, make: Callable[[], Any]) -> Any:
        """Anything else, in memory alone."""
        if name not in self._memory:
            self._memory[name] = make()
        return self._memory[name]

    def _path(self, name: str, suffix: str) -> Path | None:
        if self._folder is None:
            return None
        closed(self._folder)
        short = hashlib.sha256(name.encode()).hexdigest()[:8]
        plain = "".join(c if c.isalnum() else "-" for c in name)[:60]
        return self._folder / f"{plain}-{short}.{suffix}"


def closed(folder: Path) -> Path:
    """Makes a folder, and those above it that are missing, open to their owner only."""
    for place in reversed([folder, *folder.parents]):
        if not place.exists():
            place.mkdir(mode=0o700, exist_ok=True)
    return folder


def _read_arrays(path: Path | None) -> Arrays | None:
    if path is None or not path.is_file():
        return None
    try:
        return dict(load_file(str(path)))
    except (SafetensorError, OSError):  # damaged: it is made again
        return None


def _read_values(path: Path | None) -> Any:
    if path is None or not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
