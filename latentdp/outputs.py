"""The images of a release folder: how one gets its name, and how it is found again.

An output is written under a hidden name that also tells its released label, recorded in the
ledger, and only then given its final name. Whatever a run that died left behind is therefore
either recorded and needs its name only, or can still be recorded: no image is drawn twice.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from latentdp.checkpoints import digest
from latentdp.errors import InputError
from latentdp.files import EPOCH
from latentdp.folders import IMAGES
from latentdp.ledger import Entry, Ledger

__all__ = ["Outputs", "part_of"]

_PART = re.compile(r"\.(?P<name>[0-9a-f]{32}\.(dcm|png))\.(?P<label>-?\d+)\.part")


def part_of(path: Path, label: int) -> Path:
    """The hidden name of an output with this released label, until the ledger knows it."""
    return path.with_name(f".{path.name}.{label}.part")


class Outputs:
    """``out / "images"``.

    Args:
        out: The release folder.
    """

    def __init__(self, out: Path) -> None:
        self.folder = str(out.resolve())
        try:
            self.folder.encode()
        except UnicodeEncodeError:  # a database keeps text
            raise InputError("expected the output folder's path to be text (UTF-8)") from None
        self._images = out / IMAGES

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
                ledger.finish([entry.written(digest(hidden), int(found["label"]), self.folder)])
            os.utime(hidden, (EPOCH, EPOCH))  # the run may have died just before doing it
            hidden.replace(self.path(entry.output))

    def publish(self, entry: Entry) -> None:
        """Gives a recorded output its final name."""
        part_of(self.path(entry.output), entry.label).replace(self.path(entry.output))

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
