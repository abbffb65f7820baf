"""The images of a release folder: how one gets its name, and how it is found again.

An output is written under a hidden name that also tells its released label, recorded in the
ledger, and only then given its final name. Whatever a run that died left behind is therefore
either recorded and needs its name only, or can still be recorded: no image is drawn twice.

What is reserved is owed to the folder that it was reserved for, and to no other one of the same
path, such as that on another machine. A folder is told by a random mark that it keeps.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from latentdp.checkpoints import digest
from latentdp.errors import InputError
from latentdp.files import EPOCH
from latentdp.folders import IMAGES
from latentdp.ledger import Entry, Ledger
from latentdp.locks import alone
from latentdp.noise import SystemNoise

__all__ = ["Outputs", "part_of"]

MARK = ".latentdp"
_MARK = re.compile(rb"[0-9a-f]{32}\n")
_PART = re.compile(r"\.(?P<name>[0-9a-f]{32}\.(dcm|png))\.(?P<label>-?\d+)\.part")


def part_of(path: Path, label: int) -> Path:
    """The hidden name of an output with this released label, until the ledger knows it."""
    return path.with_name(f".{path.name}.{label}.part")


class Outputs:
    """``out / "images"``.

    Args:
        out: The release folder.

    Attributes:
        folder: Its path.
        owner: In the ledger, the folder of what is reserved and not yet written: a digest of
            mark and path. Empty while there is no mark, and so nothing reserved.
    """

    def __init__(self, out: Path) -> None:
        self.folder = str(out.resolve())
        try:
            self.folder.encode()
        except UnicodeEncodeError:  # a database keeps text
            raise InputError("expected the output folder's path to be text (UTF-8)") from None
        self._images, self._mark = out / IMAGES, out / MARK
        self.owner = self._owner(self._mark.read_bytes()) if self._mark.is_file() else ""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Makes and marks the folder, which one run at a time, on any machine, may write to.

        Raises:
            InputError: Another run holds it.
        """
        self._mark.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            try:
                handle = held.enter_context(alone(self._mark, wait=False))
            except BlockingIOError:
                raise InputError(
                    "another run is writing to the output folder; wait until it ends"
                ) from None
            mark = os.pread(handle, 99, 0)
            if not _MARK.fullmatch(mark):  # new, or a run died while it was written
                mark = SystemNoise().words(2).tobytes().hex().encode() + b"\n"
                os.ftruncate(handle, 0)
                os.pwrite(handle, mark, 0)
                os.fsync(handle)
            self.owner = self._owner(mark)
            yield

    def _owner(self, mark: bytes) -> str:
        return hashlib.sha256(mark + self.folder.encode()).hexdigest()

    def path(self, name: str) -> Path:
        """Where an output of this name lies."""
        return self._images / name

    def names(self) -> list[str]:
        """Names of all finished outputs."""
        return sorted(p.name for p in self._images.glob("[!.]*"))

    def recover(self, ledger: Ledger) -> None:
        """Makes the folder, and finishes or removes what a run that died left in it."""
        self._images.mkdir(exist_ok=True)
        for left_over in self._images.parent.glob(".*.tmp"):
            left_over.unlink()
        for hidden in self._images.glob(".*"):
            if not hidden.is_file():
                continue
            found = _PART.fullmatch(hidden.name)
            entry = None
            if found:
                entry = ledger.outputs([found["name"]]).get(found["name"])
            if found is None or entry is None or entry.sha256 not in ("", digest(hidden)):
                hidden.unlink()
                continue
            if not entry.sha256:
                done = entry.written(digest(hidden), int(found["label"]), self.folder)
                if ledger.finish([done]):
                    hidden.unlink()
                    continue
            os.utime(hidden, (EPOCH, EPOCH))  # the run may have died just before doing it
            hidden.replace(self.path(entry.output))

    def publish(self, entry: Entry) -> None:
        """Gives a recorded output its final name."""
        part_of(self.path(entry.output), entry.label).replace(self.path(entry.output))

    def discard(self, entry: Entry) -> None:
        """Removes an output that was not recorded, and so was never released."""
        part_of(self.path(entry.output), entry.label).unlink(missing_ok=True)

    def find(self, entry: Entry) -> Path | None:
        """The unaltered output of an entry, here or where it was first written."""
        for place in (self.path(entry.output), Path(entry.folder) / IMAGES / entry.output):
            if place.is_file() and digest(place) == entry.sha256:
                return place
        return None

    def withdraw(self, entry: Entry, folder: Path) -> None:
        """Moves an altered output out of the release, which another one will replace."""
        if self.path(entry.output).is_file():
            folder.mkdir(mode=0o700, exist_ok=True)
            shutil.move(self.path(entry.output), folder / entry.output)

    def serve(self, entry: Entry) -> bool:
        """Has the output of an earlier run here, copied if need be; False if it is lost."""
        found = self.find(entry)
        if found is None:
            return False
        if found != self.path(entry.output):
            shutil.copy2(found, part_of(self.path(entry.output), entry.label))
            self.publish(entry)
        return True
