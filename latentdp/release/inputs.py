"""Input files: found once, with all that is known of them before they are read."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from latentdp.core.arrays import UNKNOWN
from latentdp.errors import InputError

__all__ = [
    "Input",
    "SourceFile",
    "alone",
    "find_files",
    "is_left_by_system",
    "name_below",
]

# What systems and viewers leave in folders, in small letters.
_LEFT = re.compile(
    r"\.ds_store|\._.*|\.apdisk|\.localized|icon\r|\.directory"  # macOS, KDE
    r"|thumbs\.db|ehthumbs\.db|desktop\.ini|autorun\.inf|\$recycle\.bin"  # Windows
    r"|\.nfs[0-9a-f]+|\.fuse_hidden\w+|.*~|~\$.*"  # files that are, or were, open
)

# New in Python 3.12; before, `os.walk` enters a junction as any folder.
_is_junction = getattr(os.path, "isjunction", lambda _: False)


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One file of the input.

    Attributes:
        path: Where it is.
        name: Its path below the input folder, which may hold a patient's name: for the vault only.
        label: The class index that was given for it, -1 for unknown.
    """

    path: Path
    name: str
    label: int = UNKNOWN


@dataclass(frozen=True, kw_only=True)
class Input(SourceFile):
    """One file on its way through a run.

    Attributes:
        content: Digest of its bytes, or its name if it cannot be opened.
        key: Keyed digest of content, recipe and label: what makes a release the same one.
    """

    content: str
    key: str

    @property
    def alone(self) -> str:
        """Stands in for an identifier that the source lacks: only equal files share it."""
        return alone(self.content)


def alone(content: str) -> str:
    """`Input.alone` of a content."""
    return f"unknown {content}"


def find_files(source: Path) -> list[SourceFile]:
    """Everything below ``source`` (or ``source`` itself) that is no folder, sorted by path.

    Linked folders are not entered. They, broken links and folders that cannot be read are
    returned too, so that they are accounted for.

    Raises:
        InputError: There is nothing.
    """
    if source.is_file():
        return [SourceFile(path=source, name=name_below(source.parent, source))]
    paths: list[Path] = []

    def unreadable(error: OSError) -> None:
        paths.append(Path(error.filename))

    for base, folders, names in os.walk(source, followlinks=False, onerror=unreadable):
        linked = [name for name in folders if _is_link(Path(base) / name)]
        paths += [Path(base) / name for name in (*names, *linked)]
    if not paths:
        raise InputError("the input folder holds no files")
    return [SourceFile(path=path, name=name_below(source, path)) for path in sorted(paths)]


def name_below(folder: Path, path: Path) -> str:
    """A file's path below a folder, with ``/`` on every system."""
    return path.relative_to(folder).as_posix()


def is_left_by_system(name: str) -> bool:
    """Whether a file's name is one that an operating system or a viewer gives, not a person.

    Args:
        name: Its path.
    """
    return _LEFT.fullmatch(name.replace("\\", "/").rpartition("/")[2].lower()) is not None


def _is_link(path: Path) -> bool:
    """Whether a folder is a link, or on Windows a junction, which is not entered either."""
    try:
        return path.is_symlink() or _is_junction(path)
    except OSError:  # its folder can be listed and not entered; the walk comes to that
        return False
