"""Which files of a folder are complete: of a patient all are, once none has changed for a while.

Time is measured here, by when a change was seen: clocks of other machines do not matter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path

from latentdp.archives.spool import files_below
from latentdp.data import radiograph
from latentdp.data.patient_id import loose_form
from latentdp.errors import UnsupportedInstance

__all__ = ["Arrivals", "FileState"]

FileState = tuple[str, int, int]
"""Path of a file below its folder, its size in bytes, and its modification time in ns."""


@dataclass
class _ObservedFile:
    """A file that has not been taken.

    Attributes:
        state: When it was last looked at.
        since: Time at which it was first seen so.
        group: Whose it is.
    """

    state: FileState
    since: float
    group: str


class Arrivals:
    """Looks at a folder now and then.

    Args:
        folder: In which files arrive.
        quiet: Seconds without a change after which a patient's files are complete.
        clock: Tells the time in seconds.
    """

    def __init__(
        self, folder: Path, quiet: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder, self._quiet, self._clock = folder, quiet, clock
        self._seen: dict[Path, _ObservedFile] = {}

    def complete(self, taken: Container[FileState] = ()) -> list[list[FileState]]:
        """The files of each patient that is quiet.

        Args:
            taken: What is passed over.
        """
        now, seen = self._clock(), {}
        for path in files_below(self._folder):
            state = self._state(path)
            if state is None or state in taken:
                continue
            before = self._seen.get(path)
            if before is None or before.state != state:
                before = _ObservedFile(state, now, self._group(self._folder / path))
            seen[path] = before
        self._seen = seen
        groups: dict[str, list[_ObservedFile]] = {}
        for one in seen.values():
            groups.setdefault(one.group, []).append(one)
        return [
            [one.state for one in group]
            for group in groups.values()
            if all(now - one.since >= self._quiet for one in group)
        ]

    def _state(self, path: Path) -> FileState | None:
        try:
            stat = (self._folder / path).stat()
        except OSError:  # gone, or a link to nowhere
            return None
        return path.as_posix(), stat.st_size, stat.st_mtime_ns

    @staticmethod
    def _group(path: Path) -> str:
        """Whose a file is: a patient's, however spelled, a study's, or a folder's."""
        try:
            patient, _ = radiograph.patient(path)
            if patient:
                return f"patient {loose_form(patient)}"
            study = radiograph.identity(path).study
        except (UnsupportedInstance, OSError):
            study = ""
        return f"study {study}" if study else f"folder {path.parent}"
