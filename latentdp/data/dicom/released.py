"""Our own outputs, read back for those who review a release."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from latentdp.data.dicom import pixels
from latentdp.data.dicom.instance import guarded

__all__ = ["elements", "picture"]


def picture(path: Path) -> NDArray[np.float32]:
    """The image ``(h, w)`` in [0, 1], 0 is black.

    Raises:
        UnsupportedInstance: No DICOM file, or damaged.
    """
    return guarded(path, pixels.picture)


def elements(path: Path) -> list[tuple[str, str]]:
    """Every element at every level, file meta included, but for the pixels.

    Returns:
        Where it is, as "(0012,0064) DeidentificationMethodCodeSequence > (0008,0100) CodeValue",
        and its value as text.

    Raises:
        UnsupportedInstance: No DICOM file, or damaged.
    """
    return guarded(path, _elements, None)


def _elements(dataset: FileDataset) -> list[tuple[str, str]]:
    return [*_walk(dataset.file_meta, ""), *_walk(dataset, "")]


def _walk(dataset: Dataset, above: str) -> Iterator[tuple[str, str]]:
    for element in dataset:
        tag = f"({element.tag.group:04X},{element.tag.element:04X})"
        place = f"{above}{tag} {element.keyword or ('private' if element.tag.is_private else '')}"
        if element.keyword == "PixelData":
            continue
        if isinstance(element.value, Sequence):
            if not element.value:
                yield place, ""
            for item in element.value:
                yield from _walk(item, f"{place} > ")
        elif isinstance(element.value, MultiValue):
            yield place, "\\".join(map(str, element.value))
        else:
            yield place, "" if element.value is None else str(element.value)
