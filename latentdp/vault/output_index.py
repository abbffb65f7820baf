"""The index of one release: which output lies where, if not under its random name.

It is kept in the vault, since a mirrored name may be a patient's. The ledger knows random names
only: it may be on a server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from latentdp.core.system import composed, folded
from latentdp.vault.index_file import IndexFile

__all__ = ["OutputIndex"]


class OutputIndex:
    """The places below the images folder of one release.

    No two differ in case only, or in how an accent is written: a recipient's file system may not
    tell them apart.

    Args:
        index: Where they are kept; nothing is while all outputs lie under their random names.
        release: Identifier of the release.
    """

    def __init__(self, index: IndexFile, release: str) -> None:
        self._index, self._release = index, release
        self._path: dict[str, str] = {}  # output: path
        self._output: dict[str, str] = {}  # composed path: output
        self._files: dict[str, str] = {}  # folded path: output
        self._folders: set[str] = set()
        for output, path in index.places(release):
            self._set(output, path)

    def path(self, output: str) -> str:
        """Where an output lies."""
        return self._path.get(output, output)

    def output(self, path: str) -> str:
        """Which output lies there; the path itself if none is known to."""
        return self._output.get(composed(path), path)

    def add(self, wanted: Mapping[str, str]) -> None:
        """Gives outputs that have no file yet their places, durably.

        Args:
            wanted: Output to path; one that is taken gets a number.
        """
        given: list[tuple[str, str]] = []
        for output, path in wanted.items():
            self.leave(output)
            free = self._free(path)
            if free != output:
                self._set(output, free)
                given.append((output, free))
        self._index.add_places(self._release, given)

    def leave(self, output: str) -> None:
        """Another output may lie where this one lay."""
        path = self._path.pop(output, None)
        if path is not None:
            del self._output[composed(path)], self._files[folded(path)]

    def _free(self, path: str) -> str:
        """The path, or the first that is free with numbers in it."""
        *folders, name = path.split("/")
        base = ""
        for folder in folders:
            base = next(p for p in numbered(base + folder) if folded(p) not in self._files)
            base += "/"
        stem, dot, suffix = name.rpartition(".")
        return next(
            p
            for p in numbered(base + stem, dot + suffix)
            if folded(p) not in self._files and folded(p) not in self._folders
        )

    def _set(self, output: str, path: str) -> None:
        self.leave(output)
        before = self._files.get(folded(path))
        if before is not None:
            self.leave(before)
        self._path[output], self._output[composed(path)] = path, output
        self._files[folded(path)] = output
        self._folders |= {folded(str(p)) for p in PurePosixPath(path).parents}


def numbered(stem: str, suffix: str = "") -> Iterator[str]:
    """``stem.dcm``, ``stem-2.dcm``, ``stem-3.dcm`` and so on."""
    yield stem + suffix
    number = 1
    while True:
        number += 1
        yield f"{stem}-{number}{suffix}"
