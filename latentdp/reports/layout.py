"""How the images of a release lie in its folder: the layouts, and the names that they give."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import PurePosixPath

from latentdp.core.system import composed
from latentdp.data.png import SUFFIXES
from latentdp.reports.language import message

__all__ = ["MIRROR_WARNING", "Layout", "class_folder", "mirrored"]

MIRROR_WARNING = message(
    "NAMES FOLLOW THE SOURCE: folders and files are named as in the input (layout mirror); such "
    "a name may hold a patient's, and links an image to its source whatever the noise"
)

_REPLACED = SUFFIXES | {".dcm", ".dicom"}  # anything else may be the end of a UID
_LONGEST = 240  # bytes of a name: file systems take 255, and a number may follow
_RANDOM, _PATIENT, _UID = 36, 21, 45  # bytes of each, with the / behind folders
_NUMBER = 12  # bytes that may follow a name that is taken
_HIDDEN = len("..-999.part.tmp")  # what a name has besides while it is copied

# What Windows takes for no part of a path, or for a device, whatever follows the name.
_FORBIDDEN = re.compile(r'[<>:"\\|?*]')
_DEVICES = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3]) *(\..*)?", re.IGNORECASE
)


class Layout(StrEnum):
    """Where an image lies below ``OUT/images``."""

    FLAT = "flat"  # <random id>
    STUDY = "study"  # <patient pseudonym>/<study UID>/<series UID>/<random id>
    MIRROR = "mirror"  # as in the input
    CLASS = "class"  # <released label>/<random id>

    @property
    def unprotected(self) -> tuple[str, ...]:
        """What the names tell of the sources; epsilon is infinity for it."""
        if self is not Layout.MIRROR:
            return ()
        return ("names of folders and files, which follow the source's (layout mirror)",)

    def longest(self, names: Iterable[str]) -> int:
        """Most bytes of a path below ``OUT/images``, also while it is being written.

        Args:
            names: Paths of all inputs below the input folder.
        """
        if self is Layout.STUDY:
            return _PATIENT + 2 * _UID + _RANDOM
        mirror = names if self is Layout.MIRROR else ()
        longest = max((len(mirrored(name, ".dcm").encode()) for name in mirror), default=0)
        return max(longest + _NUMBER, _RANDOM + _HIDDEN)


def class_folder(label: str) -> str:
    """The folder of a released label, where a slash is no folder; ``unlabelled`` for none.

    >>> class_folder("PA/normal")
    'PA_normal'
    """
    return _portable(label.replace("/", "_"), _LONGEST) or "unlabelled"


def mirrored(name: str, suffix: str) -> str:
    """A path as in the input, with the output's suffix.

    What no file system or table takes everywhere becomes ``_``: control characters, bytes that
    are no text, what Windows has another use for, and a leading dot, which means "not finished"
    here.

    Args:
        name: Path of the input below the input folder.
        suffix: ``.dcm`` or ``.png``.
    """
    path = PurePosixPath(name)
    stem = path.stem if path.suffix.lower() in _REPLACED else path.name
    folders = [_portable(part, _LONGEST) for part in path.parts[:-1]]
    return "/".join([*folders, _portable(stem, _LONGEST - len(suffix)) + suffix])


def _portable(part: str, longest: int) -> str:
    text = "".join(c if c.isprintable() else "_" for c in composed(part))
    text = _FORBIDDEN.sub("_", text)
    text = f"_{text[1:]}" if text.startswith(".") else text
    text = f"_{text}" if _DEVICES.fullmatch(text) else text
    text = text.encode()[:longest].decode("utf-8", "ignore")
    return f"{text[:-1]}_" if text.endswith((".", " ")) else text
