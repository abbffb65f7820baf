"""The images of a release folder: how one gets its name, and how it is found again.

A draft of an output is written in the vault, recorded in the ledger, and only then published. Here
lies nothing that is not recorded, so that of one reservation no two images are ever seen: whatever
a run that died left here is a copy of a recorded draft, whole or not. (Version 0.1 kept its drafts
here, under hidden names that tell the released label. A whole one that it left is recorded.)

What is reserved is owed to the folder that it was reserved for, and to no other one of the same
path, such as that on another machine. A folder is told by a random mark that it keeps.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from latentdp.core.filesystem import EPOCH, alone, digest, replace, whole, write_text
from latentdp.errors import Busy, InputError
from latentdp.privacy.noise import SystemNoise
from latentdp.reports.release_card import IMAGES, release_id
from latentdp.reports.release_contents import settle
from latentdp.vault.drafts import Drafts
from latentdp.vault.index_file import IndexFile
from latentdp.vault.ledger import Ledger, LedgerEntry
from latentdp.vault.output_index import OutputIndex

__all__ = ["Outputs"]

MARK, LOCK = ".latentdp", ".latentdp.lock"
WORK = ".work-"  # begins the names of folders in which version 0.1 had drafts on a cluster
_MARK = re.compile(rb"[0-9a-f]{32}\n")
_PART = re.compile(r"\.(?P<name>[0-9a-f]{32}\.(dcm|png))\.(?P<label>-?\d+)\.part")


class Outputs:
    """``out / "images"``.

    Args:
        out: The release folder.
        index: Of the vault: which output of which release lies where.
        drafts: Of the vault, under the names that this run gives.
        new: Give a folder without a release card an identifier, since one is to be made there.

    Attributes:
        folder: Its path.
        drafts: Of the vault.
        release: Random identifier of the release, by which the vault knows where its images lie;
            empty for none.
        owner: In the ledger, the folder of what is reserved and not yet written: a digest of
            mark and path. Empty while there is no mark, and so nothing reserved.
    """

    def __init__(self, out: Path, index: IndexFile, drafts: Drafts, *, new: bool = False) -> None:
        self.folder = str(out.resolve())
        try:
            self.folder.encode()
        except UnicodeEncodeError:  # a database keeps text
            raise InputError("expected the output folder's path to be text (UTF-8)") from None
        self._images, self._mark = out / IMAGES, out / MARK
        self.owner = self._owner(self._mark.read_bytes()) if self._mark.is_file() else ""
        self._index, self.drafts = index, drafts
        self.release = release_id(out) or (SystemNoise().words(1).tobytes().hex() if new else "")
        self._places = self._open(self.release)
        self._opened = {self.folder: self._places}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Makes and marks the folder, which one run at a time, on any machine, may write to.

        Raises:
            Busy: Another run holds it.
        """
        self._mark.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            try:
                lock = self._mark.with_name(LOCK)
                held.enter_context(alone(lock, wait=False, stays=False))
            except BlockingIOError:
                raise Busy(
                    "another run is writing to the output folder; wait until it ends"
                ) from None
            mark = self._mark.read_bytes() if self._mark.exists() else b""
            if not _MARK.fullmatch(mark):  # new, or a run died while it was written
                mark = SystemNoise().words(2).tobytes().hex().encode() + b"\n"
                write_text(self._mark, mark.decode())
            self.owner = self._owner(mark)
            yield
        settle(self._mark.parent)  # now that the lock has gone

    def _owner(self, mark: bytes) -> str:
        return hashlib.sha256(mark + self.folder.encode()).hexdigest()

    def path(self, name: str) -> Path:
        """Where an output of this name lies."""
        return self._images / self.place(name)

    def place(self, name: str) -> str:
        """Its path below the images folder."""
        return self._places.path(name)

    def assign(self, wanted: Mapping[str, str]) -> None:
        """Gives outputs that are not written yet their places, durably."""
        self._places.add(wanted)

    def names(self) -> list[str]:
        """Names of all finished outputs; of a file that is none, its path."""
        paths: list[str] = []
        for base, folders, files in os.walk(self._images):
            folders[:] = [name for name in folders if not name.startswith(".")]
            below = Path(base).relative_to(self._images)
            paths += [(below / name).as_posix() for name in files if not name.startswith(".")]
        return sorted(self._places.output(path) for path in paths)

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
        """Each hidden file of a run that died, with the entry of what it holds, if it is whole."""
        for hidden in self._images.glob(".*"):
            if not hidden.is_file():
                continue
            part = _PART.fullmatch(hidden.name)
            entry = ledger.outputs([part["name"]]).get(part["name"]) if part else None
            if part is None or entry is None or entry.sha256 not in ("", digest(hidden)):
                yield hidden, None
            else:
                yield hidden, entry.written(digest(hidden), int(part["label"]), self.folder)

    def recover(self, ledger: Ledger) -> None:
        """Makes the folders, and finishes or removes what a run that died left in them."""
        self._images.mkdir(exist_ok=True)
        self.drafts.make()
        for temporary in self._images.parent.glob(".*.tmp"):
            temporary.unlink()
        for work in self._images.parent.glob(f"{WORK}*"):
            shutil.rmtree(work)
        for hidden, entry in list(self.left_over(ledger)):
            if entry is None:
                hidden.unlink()
                continue
            known = ledger.outputs([entry.output])[entry.output]
            if not known.sha256 and ledger.finish([entry]):
                hidden.unlink()  # another process was first
                continue
            self._move(hidden, entry)
        for folder, _, _ in os.walk(self._images):  # the run may have died just before doing it
            os.utime(folder, (EPOCH, EPOCH))
        self._tidy(ledger)

    def _tidy(self, ledger: Ledger) -> None:
        """Removes drafts that are not recorded, or lie where they belong."""
        left = list(self.drafts.left())
        entries = ledger.outputs(output for _, output in left if output.isprintable())
        for draft, output in left:
            entry = entries.get(output)
            if entry is None or self.find(entry) != draft:
                draft.unlink()

    def publish(self, entry: LedgerEntry) -> None:
        """Has an output here whose draft was recorded in this run."""
        self._move(self.drafts.path(entry.output), entry)

    def here(self, entry: LedgerEntry) -> bool:
        """Whether this folder holds an output, whatever became of it, or is about to."""
        if self.path(entry.output).is_file() or self._part(entry).is_file():
            return True
        return entry.folder == self.folder and self.drafts.find(entry) is not None

    def discard(self, entry: LedgerEntry) -> None:
        """Removes a draft that was not recorded, and so is never released."""
        self.drafts.path(entry.output).unlink(missing_ok=True)

    def find(self, entry: LedgerEntry) -> Path | None:
        """The unaltered output of an entry: here, where it was first published, or its draft."""
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
        return self.drafts.find(entry)

    def withdraw(self, entry: LedgerEntry, folder: Path) -> None:
        """Moves an altered output out of the release, which another one will replace."""
        path = self.path(entry.output)
        if path.is_file():
            folder.mkdir(mode=0o700, exist_ok=True)
            shutil.move(path, folder / entry.output)
            self._settle(path)
        self._places.leave(entry.output)

    def serve(self, entry: LedgerEntry, file: Path) -> None:
        """Has an output here that `find` found elsewhere. What is owed to this folder moves.

        Args:
            entry: Of the output.
            file: Its draft, or itself in another folder.
        """
        ours = self.drafts.holds(file) and entry.folder == self.folder
        self._move(file if ours else self._copy(file, entry), entry)

    def _part(self, entry: LedgerEntry) -> Path:
        """Where it lies while it is copied: all hidden names are in one folder."""
        return self._images / f".{entry.output}.{entry.label}.part"

    def _copy(self, file: Path, entry: LedgerEntry) -> Path:
        """A copy under the hidden name, durably: what it was copied from may be removed."""
        part = self._part(entry)
        with whole(part) as temporary:
            shutil.copyfile(file, temporary)
        return part

    def _open(self, release: str | None) -> OutputIndex:
        return OutputIndex(self._index, release or "none")

    def _move(self, file: Path, entry: LedgerEntry) -> None:
        path = self.path(entry.output)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and digest(path) != entry.sha256:
            raise InputError(
                "another image lies where one of this release belongs, as in a copied folder; "
                "name a new output folder"
            )
        os.utime(file, (EPOCH, EPOCH))
        try:
            replace(file, path)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._move(self._copy(file, entry), entry)  # from another file system
            file.unlink()
            return
        self._settle(path)

    def _settle(self, path: Path) -> None:
        """The folders of an output say no more about when it was written than it does."""
        for folder in path.parents:
            os.utime(folder, (EPOCH, EPOCH))
            if folder == self._images:
                break
