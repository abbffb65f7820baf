"""Training images: a manifest (CSV) or a folder of pictures, read into 8-bit squares.

A manifest has the columns ``file`` (relative to the manifest), ``split`` (train, val, test) and
whatever the conditions need: ``view``, ``labels`` (separated by ``;``). In a folder, the first
folder below it is the split if it is called train, val or test, the next one the class.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from latentdp.core.arrays import UNKNOWN
from latentdp.core.system import below
from latentdp.core.tables import read_table
from latentdp.data.png import is_picture
from latentdp.data.preprocess import resize
from latentdp.errors import InputError

__all__ = [
    "CONDITIONS",
    "SPLITS",
    "Dataset",
    "read_dataset",
    "read_picture",
    "splits",
]

SPLITS = ("train", "val", "test")
UNREADABLE = (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError)
NORMAL = frozenset({"no finding", "normal", "rsna normal"})


def _finding(row: Mapping[str, str]) -> str:
    labels = [label.strip().lower() for label in row.get("labels", "").split(";")]
    if not any(labels):
        return ""
    return "normal" if NORMAL.intersection(labels) else "finding"


def _subtype(row: Mapping[str, str]) -> str:
    return row.get("labels", "").split(";")[-1].strip().lower()


# What a class can be made of: a name for the command line, and how a manifest row tells it.
CONDITIONS: dict[str, Callable[[Mapping[str, str]], str]] = {
    "view": lambda row: row.get("view", "").strip().upper(),
    "finding": _finding,
    "subtype": _subtype,
    "class": lambda row: row.get("class", "").strip(),
}


@dataclass(frozen=True)
class Dataset:
    """One split.

    Attributes:
        pixels: ``(n, size, size)`` uint8.
        labels: ``(n,)`` int64 indices into ``classes``; -1 where the manifest does not say.
        classes: Class names, sorted.
        patients: ``(n,)`` patient ids, or file names where the manifest has none.
        files: Path of each image as the manifest names it.
        findings: ``(n,)`` int64 indices into ``finding_names``; -1 where the manifest does not
            say. The classes without the view: that is how a picture was taken, not what is on it.
        finding_names: Names of the findings, sorted.
        views: ``(n,)`` view of each image, empty where the manifest does not say.
        strata: ``(n,)`` source and view of each image. Comparing findings within them keeps
            apart what a finding looks like and what the place that it comes from looks like.
        sources: ``(n,)`` where each image comes from, empty where the manifest does not say.
        sexes: ``(n,)`` ``F``, ``M`` or empty.
        ages: ``(n,)`` years; NaN where the manifest does not say.
        reported: ``(n,)`` the manifest's labels as they stand there, empty where it has none.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    patients: tuple[str, ...]
    files: tuple[str, ...]
    findings: NDArray[np.int64]
    finding_names: tuple[str, ...]
    views: tuple[str, ...]
    strata: tuple[str, ...]
    sources: tuple[str, ...]
    sexes: tuple[str, ...]
    ages: tuple[float, ...]
    reported: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pixels)

    def only(self, rows: NDArray[np.bool_]) -> Dataset:
        """Those images of it that ``rows`` says, ``(n,)``."""
        columns: dict[str, Any] = {}
        for column in fields(self):
            values = getattr(self, column.name)
            if isinstance(values, np.ndarray):
                columns[column.name] = values[rows]
            elif column.name not in ("classes", "finding_names"):
                columns[column.name] = tuple(compress(values, rows))
        return replace(self, **columns)


def read_dataset(
    source: Path,
    split: str,
    *,
    size: int,
    conditions: Sequence[str] = (),
    sources: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    enlarge: bool = True,
) -> Dataset:
    """Reads one split of a manifest file, of a folder that holds ``manifest.csv``, or of a folder.

    Args:
        source: The manifest or the folder.
        split: ``train``, ``val`` or ``test``.
        size: Side of the square that every image is resized to, in pixels.
        conditions: Names in `CONDITIONS`; a class is their values joined by ``/``.
        sources: Values of the manifest's ``source`` column to keep; empty keeps all.
        classes: The classes of an existing model; the default is what this split holds.
        enlarge: Whether pictures smaller than ``size`` are taken, and enlarged.

    Raises:
        InputError: A column, a file or an image is missing or unreadable, or nothing is left.
    """
    unknown = [name for name in conditions if name not in CONDITIONS]
    if unknown:
        raise InputError(f"unknown condition {unknown[0]!r}; there are: {', '.join(CONDITIONS)}")
    base, rows = _rows(source)
    rows = [r for r in rows if r.get("split") == split]
    if sources:
        rows = [r for r in rows if r.get("source") in sources]
    if not enlarge:
        rows = [r for r in rows if min(_size(below(base, r["file"]))) >= size]
    if not rows:
        raise InputError(
            f"no images of split {split!r} in {source}"
            + ("" if enlarge else f" with {size} pixels on a side")
        )
    names = [_class_of(row, conditions) for row in rows]
    known = tuple(classes) if classes is not None else tuple(sorted({n for n in names if n}))
    # The view is a stratum, unless there is nothing else to tell.
    of_findings = [name for name in conditions if name != "view"] or list(conditions)
    views = tuple(CONDITIONS["view"](row) for row in rows)
    origins = [row.get("source") or "" for row in rows]
    findings = [_class_of(row, of_findings) for row in rows]
    finding_names = tuple(sorted({f for f in findings if f}))
    index = {name: i for i, name in enumerate(known)}
    numbers = {name: i for i, name in enumerate(finding_names)}
    return Dataset(
        pixels=_pixels([below(base, row["file"]) for row in rows], size),
        labels=np.array([index.get(name, UNKNOWN) for name in names], dtype=np.int64),
        classes=known,
        patients=tuple(row.get("patient_id") or row["file"] for row in rows),
        files=tuple(row["file"] for row in rows),
        findings=np.array([numbers.get(name, UNKNOWN) for name in findings], dtype=np.int64),
        finding_names=finding_names,
        views=views,
        strata=tuple(
            origin if "view" in of_findings else f"{origin}/{view}"
            for origin, view in zip(origins, views, strict=True)
        ),
        sources=tuple(origins),
        sexes=tuple(_sex(row) for row in rows),
        ages=tuple(_age(row) for row in rows),
        reported=tuple(row.get("labels") or "" for row in rows),
    )


def splits(source: Path) -> set[str]:
    """The splits that a manifest or a folder names."""
    return {row.get("split", "") for row in _rows(source)[1]}


def read_picture(path: Path, size: int) -> NDArray[np.uint8]:
    """One 8-bit grey picture as a ``(size, size)`` square.

    Raises:
        InputError: Not a picture that can be decoded.
    """
    try:
        with Image.open(path) as picture:
            image = np.asarray(picture.convert("L"), dtype=np.float32) / np.float32(255)
    except UNREADABLE as error:
        raise InputError(f"{path.name} is not a readable picture") from error
    return np.rint(resize(image, (size, size)) * 255).astype(np.uint8)


def _pixels(paths: Sequence[Path], size: int) -> NDArray[np.uint8]:
    pixels = np.empty((len(paths), size, size), dtype=np.uint8)
    for i, path in enumerate(paths):
        pixels[i] = read_picture(path, size)
    return pixels


def _size(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as picture:
            return picture.size
    except UNREADABLE as error:
        raise InputError(f"{path.name} is not a readable picture") from error


def _class_of(row: Mapping[str, str], conditions: Sequence[str]) -> str:
    values = [CONDITIONS[name](row) for name in conditions]
    return "/".join(values) if all(values) else ""


def _sex(row: Mapping[str, str]) -> str:
    letter = (row.get("sex") or "").strip().upper()[:1]
    return letter if letter in ("F", "M") else ""


def _age(row: Mapping[str, str]) -> float:
    """Years; a number, or a DICOM age string in years such as 034Y (PS3.5 6.2, AS)."""
    try:
        years = float((row.get("age") or "").strip().upper().removesuffix("Y"))
    except ValueError:
        return math.nan
    return years if 0 <= years <= 120 else math.nan


def _rows(source: Path) -> tuple[Path, list[dict[str, str]]]:
    manifest = source / "manifest.csv" if source.is_dir() else source
    if manifest.is_file():
        return manifest.parent, [row for _, row in read_table(manifest, ("file", "split"))]
    if not source.is_dir():
        raise InputError(f"expected a manifest or a folder of pictures, got {source}")
    rows = []
    for path in sorted(source.rglob("*")):
        if not is_picture(path):
            continue
        parts = path.relative_to(source).parts[:-1]
        split, below = (parts[0], parts[1:]) if parts and parts[0] in SPLITS else ("train", parts)
        rows.append(
            {
                "file": path.relative_to(source).as_posix(),
                "split": split,
                "class": below[0] if below else "",
            }
        )
    return source, rows
