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
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from latentdp.core.filesystem import alone, digest, write_text
from latentdp.data.radiograph import EPOCH
from latentdp.errors import Aborted, InputError
from latentdp.privacy.noise import SystemNoise
from latentdp.reports.release_card import IMAGES, release_id
from latentdp.vault.index_file import IndexFile
from latentdp.vault.ledger import Ledger, LedgerEntry
from latentdp.vault.output_index import OutputIndex

__all__ = ["WORK", "Outputs", "clear", "part_of"]

MARK, LOCK = ".latentdp", ".latentdp.lock"
WORK = ".work-"  # begins the names of folders of drafts, one for each run on a cluster
_MARK = re.compile(rb"[0-9a-f]{32}\n")
_PART = re.compile(r"\.(?P<name>[0-9a-f]{32}\.(dcm|png))\.(?P<label>-?\d+)\.part")


def part_of(path: Path, label: int) -> Path:
    """The hidden name of an output with this released label, until the ledger knows it."""
    return path.with_name(f".{path.name}.{label}.part")


def clear(work: Path) -> None:
    """Removes a folder of drafts, if there is one.

    It gets another name first: a worker that outlived its run finds none to write to.

    Raises:
        Aborted: Something in it stays.
    """
    gone = work.with_name(f"{WORK}{SystemNoise().words(1).tobytes().hex()}")
    try:
        work.rename(gone)
    except FileNotFoundError:
        return
    for wait in (0.0, 0.1, 1.0):  # a file that is open elsewhere may stay a moment
        time.sleep(wait)
        shutil.rmtree(gone, ignore_errors=True)
        if not gone.exists():
            return
    raise Aborted(
        f"{gone.name} in the output folder could not be removed; it holds drafts, which must not "
        "be released: remove it, or run the same command again"
    )


class Outputs:
    """``out / "images"``.

    Args:
        out: The release folder.
        index: Of the vault: which output of which release lies where.
        new: Give a folder without a release card an identifier, since one is to be made there.

    Attributes:
        folder: Its path.
        release: Random identifier of the release, by which the vault knows where its images lie;
            empty for none.
        owner: In the ledger, the folder of what is reserved and not yet written: a digest of
            mark and path. Empty while there is no mark, and so nothing reserved.
    """

    def __init__(self, out: Path, index: IndexFile, *, new: bool = False) -> None:
        self.folder = str(out.resolve())
        try:
            self.folder.encode()
        except UnicodeEncodeError:  # a database keeps text
            raise InputError("expected the output folder's path to be text (UTF-8)") from None
        self._images, self._mark = out / IMAGES, out / MARK
        self.owner = self._owner(self._mark.read_bytes()) if self._mark.is_file() else ""
        self._index = index
        self.release = release_id(out) or (SystemNoise().words(1).tobytes().hex() if new else "")
        self._places = self._open(self.release)
        self._opened = {self.folder: self._places}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Makes and marks the folder, which one run at a time, on any machine, may write to.

        Raises:
            InputError: Another run holds it.
        """
        self._mark.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            try:
                held.enter_context(alone(self._mark.with_name(LOCK), wait=False))
            except BlockingIOError:
                raise InputError(
                    "another run is writing to the output folder; wait until it ends"
                ) from None
            mark = self._mark.read_bytes() if self._mark.exists() else b""
            if not _MARK.fullmatch(mark):  # new, or a run died while it was written
                mark = SystemNoise().words(2).tobytes().hex().encode() + b"\n"
                write_text(self._mark, mark.decode())
            self.owner = self._owner(mark)
            yield

    def _owner(self, mark: bytes) -> str:
        return hashlib.sha256(mark + self.folder.encode()).hexdigest()

    def path(self, name: str) -> Path:
        """Where an output of this name lies."""
        return self._images / self.place(name)

    def place(self, name: str) -> str:
        """Its path below the images folder."""
        return self._places.path(name)

    def draft(self, name: str) -> Path:
        """Where it lies before it has its place: all hidden names are in one folder."""
        return self._images / name

    def assign(self, wanted: Mapping[str, str]) -> None:
        """Gives outputs that are not written yet their places, durably."""
        self._places.add(wanted)

    def names(self) -> list[str]:
        """Names of all finished outputs; of a file that is none, its path."""
        found = []
        for base, folders, files in os.walk(self._images):
            folders[:] = [name for name in folders if not name.startswith(".")]
            below = Path(base).relative_to(self._images)
            found += [(below / name).as_posix() for name in files if not name.startswith(".")]
        return sorted(self._places.output(path) for path in found)

    def entries(self, ledger: Ledger) -> dict[str, LedgerEntry]:
        """The entries of all finished outputs, by name."""
        return ledger.outputs(name for name in self.names() if name.isprintable())

    def check(self, ledger: Ledger) -> None:
        """Refuses files that would be released with the others.

        Raises:
            InputError: There is one that no ledger knows.
        """
        strange = len(self.names()) - len(self.entries(ledger))
        if strange:
            raise InputError(f"{strange} files in {IMAGES} are not of this release; remove them")

    def left_over(self, ledger: Ledger) -> Iterator[tuple[Path, LedgerEntry | None]]:
        """Each hidden file of a run that died, with the entry that it completes, if any."""
        for hidden in self._images.glob(".*"):
            if not hidden.is_file():
                continue
            found = _PART.fullmatch(hidden.name)
            entry = ledger.outputs([found["name"]]).get(found["name"]) if found else None
            if found is None or entry is None or entry.sha256 not in ("", digest(hidden)):
                yield hidden, None
            else:
                yield hidden, entry.written(digest(hidden), int(found["label"]), self.folder)

    def recover(self, ledger: Ledger) -> None:
        """Makes the folder, and finishes or removes what a run that died left in it."""
        self._images.mkdir(exist_ok=True)
        for temporary in self._images.parent.glob(".*.tmp"):
            temporary.unlink()
        for work in self._images.parent.glob(f"{WORK}*"):
            clear(work)
        for hidden, entry in list(self.left_over(ledger)):
            if entry is None:
                hidden.unlink()
                continue
            known = ledger.outputs([entry.output])[entry.output]
            if not known.sha256 and ledger.finish([entry]):
                hidden.unlink()  # another process was first
                continue
            os.utime(hidden, (EPOCH, EPOCH))  # the run may have died just before doing it
            self._move(hidden, entry)
        for folder, _, _ in os.walk(self._images):  # likewise
            os.utime(folder, (EPOCH, EPOCH))

    def publish(self, entry: LedgerEntry) -> None:
        """Gives a recorded output its final name."""
        self._move(part_of(self.draft(entry.output), entry.label), entry)

    def here(self, entry: LedgerEntry) -> bool:
        """Whether this folder holds an output, whatever became of it, or is about to."""
        return self.path(entry.output).is_file() or self._part(entry).is_file()

    def discard(self, entry: LedgerEntry) -> None:
        """Removes an output that was not recorded, and so was never released."""
        self._part(entry).unlink(missing_ok=True)

    def find(self, entry: LedgerEntry) -> Path | None:
        """The unaltered output of an entry, here or where it was first written."""
        if entry.folder not in self._opened:
            self._opened[entry.folder] = self._open(release_id(Path(entry.folder)))
        there = self._opened[entry.folder].path(entry.output)
        for place in (
            self.path(entry.output),
            Path(entry.folder) / IMAGES / there,
            self._part(entry),
        ):
            if place.is_file() and digest(place) == entry.sha256:
                return place
        return None

    def withdraw(self, entry: LedgerEntry, folder: Path) -> None:
        """Moves an altered output out of the release, which another one will replace."""
        path = self.path(entry.output)
        if path.is_file():
            folder.mkdir(mode=0o700, exist_ok=True)
            shutil.move(path, folder / entry.output)
            self._settle(path)
        self._places.leave(entry.output)

    def serve(self, entry: LedgerEntry, found: Path) -> None:
        """Has an output that was found elsewhere here too."""
        shutil.copy2(found, part_of(self.draft(entry.output), entry.label))
        self.publish(entry)

    def _part(self, entry: LedgerEntry) -> Path:
        return part_of(self.draft(entry.output), entry.label)

    def _open(self, release: str | None) -> OutputIndex:
        return OutputIndex(self._index, release or "none")

    def _move(self, hidden: Path, entry: LedgerEntry) -> None:
        path = self.path(entry.output)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and digest(path) != entry.sha256:
            raise InputError(
                "another image lies where one of this release belongs, as in a copied folder; "
                "name a new output folder"
            )
        hidden.replace(path)
        self._settle(path)

    def _settle(self, path: Path) -> None:
        """The folders of an output say no more about when it was written than it does."""
        for folder in path.parents:
            os.utime(folder, (EPOCH, EPOCH))
            if folder == self._images:
                break
