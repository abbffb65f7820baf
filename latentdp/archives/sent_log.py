"""What was sent of a release to an archive, so that sending goes on where it stopped.

It lies in this user's state, not in the release, which stays as it was verified.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from types import TracebackType
from typing import Self

from platformdirs import user_state_path

from latentdp.archives.address import Address
from latentdp.core.filesystem import read_json_lines
from latentdp.errors import InputError

__all__ = ["SentLog"]


class SentLog:
    """Lines on the disk as files are acknowledged; a context manager.

    Args:
        release: What tells the release from all others.
        address: Of the archive.

    Attributes:
        path: Where it lies.
    """

    def __init__(self, release: str, address: Address) -> None:
        name = hashlib.sha256(f"{release} {address}".encode()).hexdigest()[:32]
        self.path = user_state_path("latentdp", appauthor=False) / "sent" / f"{name}.jsonl"
        self._sent = self._read()
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"what is sent cannot be recorded in this user's state ({error.strerror})"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def holds(self, file: str, sha256: str) -> bool:
        """Whether a file of this content was acknowledged."""
        return (file, sha256) in self._sent

    def add(self, file: str, sha256: str) -> None:
        """Adds what was acknowledged; it is in the hands of the system when this returns."""
        self._sent.add((file, sha256))
        self._file.write(json.dumps({"file": file, "sha256": sha256}) + "\n")
        self._file.flush()

    def _read(self) -> set[tuple[str, str]]:
        sent = set()
        for row in read_json_lines(self.path) if self.path.exists() else ():
            with suppress(KeyError, TypeError):
                sent.add((str(row["file"]), str(row["sha256"])))
        return sent
