"""Where a watch finds its files: in the spool, as they were received, or in a folder of others."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from latentdp.archives.arrivals import Arrivals, FileState
from latentdp.archives.spool import Spool, files_below, lay
from latentdp.core.filesystem import read_json_lines

__all__ = ["Inbox", "ReceivedInbox", "WatchedInbox"]


class Inbox(Protocol):
    """Gives files to the release, and hears what became of them. Errors are ``OSError``."""

    def complete(self) -> list[list[FileState]]:
        """The files of each patient that is quiet."""
        ...

    def take(self, files: Sequence[FileState]) -> int:
        """Has files in the spool's `work`, under the paths that they have here.

        Returns:
            How many are there; what is gone or cannot be read is passed over.
        """
        ...

    def give_back(self) -> None:
        """Nothing became of what is in `work`."""
        ...

    def done(self, quarantined: Collection[str], left_out: Collection[str]) -> None:
        """All that is in `work` was decided on.

        Args:
            quarantined: Those that have no output, by path.
            left_out: Those of which a patient's budget allows no output, by path: they are tried
                again at the next start.
        """
        ...

    def refuse(self) -> None:
        """What is in `work` may not be released now; it is tried again at the next start."""
        ...


class ReceivedInbox:
    """Files that we have received ourselves: they are moved.

    Args:
        spool: Holds them.
        quiet: As for `Arrivals`.
        keep: Whether originals are kept once they have an output.
    """

    def __init__(self, spool: Spool, quiet: float, *, keep: bool) -> None:
        self._spool, self._keep = spool, keep
        for torn in spool.incoming.glob(".*"):  # nobody was told that it is here
            torn.unlink()
        for folder in (spool.work, spool.refused):
            _move_all(folder, spool.incoming)
        self._arrivals = Arrivals(spool.incoming, quiet)

    def complete(self) -> list[list[FileState]]:
        """As `Inbox.complete`."""
        return self._arrivals.complete()

    def take(self, files: Sequence[FileState]) -> int:
        """As `Inbox.take`."""
        for path, _, _ in files:
            lay(self._spool.incoming / path, self._spool.work / path)
        return len(files)

    def give_back(self) -> None:
        """As `Inbox.give_back`."""
        _move_all(self._spool.work, self._spool.incoming)

    def done(self, quarantined: Collection[str], left_out: Collection[str]) -> None:
        """As `Inbox.done`."""
        spool = self._spool
        for path in files_below(spool.work):
            if path.as_posix() in quarantined:
                lay(spool.work / path, spool.quarantined / path)
            elif path.as_posix() in left_out:
                lay(spool.work / path, spool.refused / path)
            elif self._keep:
                lay(spool.work / path, spool.released / path)
            else:
                (spool.work / path).unlink()

    def refuse(self) -> None:
        """As `Inbox.refuse`."""
        _move_all(self._spool.work, self._spool.refused)


class WatchedInbox:
    """Files in a folder of somebody else, which is never written to.

    Args:
        spool: Holds what is taken, and remembers it.
        folder: In which files arrive.
        quiet: As for `Arrivals`.
    """

    def __init__(self, spool: Spool, folder: Path, quiet: float) -> None:
        self._spool, self._folder = spool, folder
        self._clear()
        self._taken = _read(spool.taken)
        self._refused: set[FileState] = set()
        self._now: tuple[FileState, ...] = ()
        self._arrivals = Arrivals(folder, quiet)

    def complete(self) -> list[list[FileState]]:
        """As `Inbox.complete`."""
        return self._arrivals.complete(self._taken | self._refused)

    def take(self, files: Sequence[FileState]) -> int:
        """As `Inbox.take`: linked, or copied from another file system."""
        taken = []
        for state in files:
            place = self._spool.work / state[0]
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                _link(self._folder / state[0], place)
            except (FileNotFoundError, PermissionError):
                self._refused.add(state)
            else:
                taken.append(state)
        self._now = tuple(taken)
        return len(taken)

    def give_back(self) -> None:
        """As `Inbox.give_back`."""
        self._clear()

    def done(self, quarantined: Collection[str], left_out: Collection[str]) -> None:
        """As `Inbox.done`: they stay where they are."""
        taken = [state for state in self._now if state[0] not in left_out]
        with self._spool.taken.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(state) + "\n" for state in taken)
        self._taken |= {*taken}
        self._refused |= {*self._now}
        self._clear()

    def refuse(self) -> None:
        """As `Inbox.refuse`."""
        self._refused |= {*self._now}
        self._clear()

    def _clear(self) -> None:
        self._now = ()
        shutil.rmtree(self._spool.work)
        self._spool.work.mkdir(mode=0o700)


def _link(file: Path, place: Path) -> None:
    file = file.resolve()  # a link of its own may lead nowhere from another folder
    try:
        os.link(file, place)
    except OSError:  # another file system, or another user's file
        shutil.copyfile(file, place)


def _move_all(folder: Path, to: Path) -> None:
    for path in files_below(folder):
        lay(folder / path, to / path)


def _read(path: Path) -> set[FileState]:
    """What was taken."""
    states: set[FileState] = set()
    for value in read_json_lines(path) if path.exists() else ():
        with suppress(ValueError, TypeError):
            name, size, time = value
            states.add((str(name), int(size), int(time)))
    return states
