"""How the images of a release lie in its folder: the layouts, and the names that they give."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import PurePosixPath

from latentdp.data.png import SUFFIXES

__all__ = ["MIRROR_WARNING", "Layout", "mirrored"]

MIRROR_WARNING = (
    "NAMES FOLLOW THE SOURCE: folders and files are named as in the input (layout mirror); such "
    "a name may hold a patient's, and links an image to its source whatever the noise"
)

_REPLACED = SUFFIXES | {".dcm", ".dicom"}  # anything else may be the end of a UID
_LONGEST = 240  # bytes of a name: file systems take 255, and a number may follow


class Layout(StrEnum):
    """Where an image lies below ``OUT/images``."""

    FLAT = "flat"  # <random id>
    STUDY = "study"  # <patient pseudonym>/<study UID>/<series UID>/<random id>
    MIRROR = "mirror"  # as in the input

    @property
    def unprotected(self) -> tuple[str, ...]:
        """What the names tell of the sources; epsilon is infinity for it."""
        if self is not Layout.MIRROR:
            return ()
        return ("names of folders and files, which follow the source's (layout mirror)",)


def mirrored(name: str, suffix: str) -> str:
    """A path as in the input, with the output's suffix.

    What no file system or table takes everywhere becomes ``_``: control characters, bytes that
    are no text, and a leading dot, which means "not finished" here.

    Args:
        name: Path of the input below the input folder.
        suffix: ``.dcm`` or ``.png``.
    """
    path = PurePosixPath(name)
    stem = path.stem if path.suffix.lower() in _REPLACED else path.name
    folders = [_portable(part, _LONGEST) for part in path.parts[:-1]]
    return "/".join([*folders, _portable(stem, _LONGEST - len(suffix)) + suffix])


def _portable(part: str, longest: int) -> str:
    text = "".join(c if c.isprintable() else "_" for c in part)
    text = f"_{text[1:]}" if text.startswith(".") else text
    return os.fsencode(text)[:longest].decode("utf-8", "ignore")
