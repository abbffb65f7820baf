"""Which files a release card is about: one digest binds it to them, and them to each other.

It is the SHA-256 of a list as ``sha256sum`` prints it: a line ``DIGEST  PATH`` for each image, and
for each table that there is (``labels.csv``, ``metadata.csv``, ``datalist.json`` and
``release.parquet``), sorted by path. Only this digest is on the card.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from latentdp.core.filesystem import EPOCH, digest
from latentdp.reports.image_table import TABLES
from latentdp.reports.release_card import IMAGES

__all__ = [
    "GENERATOR",
    "LABELS",
    "PAGE",
    "contents_digest",
    "contents_of",
    "image_files",
    "settle",
]

LABELS = "labels.csv"
GENERATOR = "generator.safetensors"  # of a synthesis
PAGE = "release.html"


def contents_digest(out: Path, images: Mapping[str, str]) -> str:
    """The digest of what a release holds.

    Args:
        out: Its folder, whose tables count as they are.
        images: SHA-256 of each image by its path below the images folder, with ``/``.
    """
    digests = {f"{IMAGES}/{path}": sha256 for path, sha256 in images.items()}
    digests |= {name: digest(out / name) for name in (LABELS, *TABLES) if (out / name).is_file()}
    lines = (f"{sha256}  {path}\n" for path, sha256 in sorted(digests.items()))
    return hashlib.sha256(b"".join(map(os.fsencode, lines))).hexdigest()


def contents_of(out: Path) -> str:
    """The same of all files that lie there now."""
    images = out / IMAGES
    return contents_digest(
        out, {path.relative_to(images).as_posix(): digest(path) for path in image_files(out)}
    )


def image_files(out: Path) -> list[Path]:
    """All files below the images folder, but for hidden ones, which an operating system leaves."""
    images = out / IMAGES
    paths = (path for path in sorted(images.rglob("*")) if path.is_file())
    return [p for p in paths if not any(n.startswith(".") for n in p.relative_to(images).parts)]


def settle(out: Path) -> None:
    """Gives a folder and the files in it the time that images have, which tells nothing."""
    for place in (*(path for path in out.iterdir() if path.is_file()), out):
        with suppress(PermissionError):  # another user's, such as what a viewer left
            os.utime(place, (EPOCH, EPOCH))
