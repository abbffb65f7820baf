"""Files that came from an archive: whole on the disk before anybody is told that they are."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from latentdp.archives.archive import is_uid
from latentdp.core.filesystem import whole

__all__ = ["keep", "make_private", "name_of"]


def make_private(folder: Path) -> None:
    """Makes a folder that only its owner can enter, and those above it, where it is missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def name_of(instance: str) -> str:
    """The name of a file of this SOP Instance UID (0008,0018)."""
    return f"{instance}.dcm"


def keep(folder: Path, instance: str, data: bytes) -> Path:
    """Writes a file so that it outlives a crash of the machine. For one thread at a time.

    Args:
        folder: In which it is to lie.
        instance: Its SOP Instance UID, as the sender told it.
        data: What came. Another file of that UID that lies there stays; this one gets another
            name.

    Returns:
        Where it lies.

    Raises:
        OSError: There is no room, or no such folder.
    """
    content = hashlib.sha256(data).hexdigest()
    path = folder / name_of(instance if is_uid(instance) else content[:32])
    if _differs(path, data):
        path = path.with_name(f"{path.stem}.{content[:12]}.dcm")
    with whole(path) as temporary:
        temporary.touch(0o600)
        temporary.write_bytes(data)
    _settle(folder)
    return path


def _differs(path: Path, data: bytes) -> bool:
    """Whether something else lies there; it may be taken away at any moment."""
    try:
        return path.read_bytes() != data
    except FileNotFoundError:
        return False


def _settle(folder: Path) -> None:
    """Has the new name on the disk, too; Windows does so by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
