"""What the operating system makes of folders and their names: who may enter, how long a path is.

Linux, macOS and Windows differ here, and so do their file systems: some keep no permissions, some
tell neither upper from lower case nor two ways to write an accent.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
import unicodedata
from pathlib import Path, PurePosixPath

__all__ = [
    "below",
    "can_be_made",
    "closes_new_folders",
    "composed",
    "file_key",
    "folded",
    "is_private",
    "keeps_modes",
    "lies_in",
    "longest_path",
]

_LONG_PATHS = r"SYSTEM\CurrentControlSet\Control\FileSystem"
_WINDOWS_PATH = 259  # characters: MAX_PATH less the NUL at the end


def is_private(folder: Path) -> bool:
    """Whether only its owner may enter a folder, as far as its mode tells: on Windows it does not.

    There a folder has an access list: its own if this program made it (`closes_new_folders`), or
    that of the folder above, which for a user's own folders is closed to other users.
    """
    return os.name == "nt" or not stat.S_IMODE(folder.stat().st_mode) & 0o077


def closes_new_folders() -> bool:
    """Whether a folder that is made with mode 0700 is closed to other users.

    On Windows since Python 3.11.10 and 3.12.4, by an access list for this user, administrators and
    the system (https://docs.python.org/3/library/os.html#os.mkdir).
    """
    python = sys.version_info[:3]
    return os.name != "nt" or python >= (3, 12, 4) or (3, 11, 10) <= python < (3, 12)


def keeps_modes(folder: Path) -> bool:
    """Whether a folder's file system keeps modes, tried with a folder that is gone afterwards.

    FAT, exFAT, most network shares and the disks of Windows in WSL keep none: all that lies there
    is as open as the disk is, and ``chmod`` changes nothing. Where nothing can be tried it does.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".modes-", dir=folder) as made:  # of mode 0700
            return not stat.S_IMODE(Path(made).stat().st_mode) & 0o077
    except OSError:
        return True


def can_be_made(folder: Path) -> bool:
    """Whether this user may make a folder, and those above it that are missing.

    Raises:
        PermissionError: One above it cannot be entered.
    """
    above = next((parent for parent in folder.absolute().parents if parent.exists()), None)
    if above is None:  # a drive that is not there
        return False
    ours = os.access in os.supports_effective_ids
    return above.is_dir() and os.access(above, os.W_OK | os.X_OK, effective_ids=ours)


def lies_in(inner: Path, outer: Path) -> bool:
    """Whether a path is a folder or lies in it, however the two are spelled."""
    inner, outer = inner.resolve(), outer.resolve()
    places = (inner, *inner.parents)
    return outer in places or any(_same(place, outer) for place in places)


def longest_path() -> int:
    """Most characters of a path here; of bytes where names are bytes."""
    if os.name != "nt":
        try:
            return os.pathconf("/", "PC_PATH_MAX") - 1  # with the NUL at the end
        except (OSError, ValueError):  # a system that knows no bound
            return sys.maxsize
    return sys.maxsize if _takes_long_paths() else _WINDOWS_PATH


def file_key(name: str) -> str:
    r"""A file's path as a table has it, whichever system wrote it, to be compared with others.

    Windows puts ``\`` between folders, and macOS may take an accent apart from its letter.

        >>> file_key(r"Doe, Jane\day 1\b.dcm")
        'Doe, Jane/day 1/b.dcm'
    """
    path = PurePosixPath(name.strip().replace("\\", "/"))
    return composed(path.as_posix())


def below(folder: Path, name: str) -> Path:
    """The file of a folder that a table names, whichever system wrote the table."""
    path = folder / name
    return folder / name.replace("\\", "/") if "\\" in name and not path.exists() else path


def composed(path: str) -> str:
    """A path with each accent and its letter as one: macOS takes, and gives, either form."""
    return unicodedata.normalize("NFC", path)


def folded(path: str) -> str:
    """What two paths share that some file systems do not tell apart: case and forms of accents."""
    return composed(composed(path).casefold())


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is still to be made
        return False


def _takes_long_paths() -> bool:
    if sys.platform != "win32":
        return False
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _LONG_PATHS) as key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
    except OSError:
        return False
