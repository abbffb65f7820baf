"""The private folder of a watch: originals on their way, and those that are kept.

    incoming      received, whole, and waiting until their patient is quiet
    work          what is released now
    released      originals that have an output
    quarantined   those that have none; the run's report in the vault says why
    refused       those that a budget or an option did not allow, those beyond the images of a
                  patient among them; tried again at the next start
    taken.jsonl   what was taken of a watched folder, where originals stay

Only the files of one run are in `work`. A watch that was killed begins with them: whatever it had
reserved or published is in the ledger, and is not charged again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latentdp.archives.received import make_private
from latentdp.core.filesystem import alone, digest
from latentdp.core.system import is_private, keeps_modes
from latentdp.errors import Busy, InputError
from latentdp.release.folders import check_apart

__all__ = ["Spool", "default_spool", "files_below", "lay"]

_FOLDERS = ("incoming", "work", "released", "quarantined", "refused")


def default_spool(vault: Path) -> Path:
    """Where the spool lies if none is named: beside the vault."""
    place = vault.absolute()
    return place.with_name(f"{place.name}.spool")


class Spool:
    """The folder, made where there is none.

    Args:
        path: Its place.
        out: The release folder, from which it must be apart.
        vault: The vault, likewise.

    Attributes:
        path: Its place.
        incoming: As above, likewise the others.
        work: Is given to the release as its input.
        released: Of originals that are kept.
        quarantined: Of those without an output.
        refused: Of those that wait for a larger budget.
        taken: The list of what was taken.

    Raises:
        InputError: It would lie in one of these or they in it, or others can enter it.
    """

    def __init__(self, path: Path, out: Path, vault: Path) -> None:
        check_apart(path, out, vault)
        self.path = path
        if path.exists() and not (path.is_dir() and (is_private(path) or not keeps_modes(path))):
            raise InputError(
                "expected the spool to be a folder that is open to its owner only (mode 0700); "
                "close it with chmod 700, or name another"
            )
        try:
            for name in _FOLDERS:
                make_private(path)
                make_private(path / name)
        except OSError as error:
            raise InputError(f"the spool cannot be made ({error.strerror})") from None
        self.incoming, self.work = path / "incoming", path / "work"
        self.released, self.quarantined = path / "released", path / "quarantined"
        self.refused, self.taken = path / "refused", path / "taken.jsonl"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One watch at a time.

        Raises:
            Busy: Another one holds it.
        """
        try:
            lock = alone(self.path / "lock", wait=False)
            with lock:
                yield
        except BlockingIOError:
            raise Busy("another watch is using this spool; wait until it ends") from None


def files_below(folder: Path) -> list[Path]:
    """Files below a folder, by their paths in it, without hidden ones: those are being written."""
    files = []
    for base, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(base).relative_to(folder)
        files += [below / name for name in names if not name.startswith(".")]
    return sorted(files)


def lay(file: Path, place: Path) -> None:
    """Moves a file to its place; another file that lies there stays, under its name."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if place.exists():
        content = digest(file)
        if content != digest(place):
            place = place.with_name(f"{place.stem}.{content[:12]}{place.suffix}")
    try:
        file.replace(place)
    except OSError:  # from another file system
        shutil.copy2(file, place)
        file.unlink()
