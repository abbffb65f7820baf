"""Our own outputs, read back for those who review a release."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset, FileDataset
from pydicom.multival import MultiValue
from pydicom.valuerep import VR

from latentdp.data.dicom import pixels
from latentdp.data.dicom.instance import guarded

__all__ = ["elements", "picture"]

REMEMBERED = 2_048  # elements; most are the same in all outputs of a release


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
    return guarded(path, _elements, (), whole=True)


def _elements(dataset: FileDataset) -> list[tuple[str, str]]:
    found = list(_walk(dataset.file_meta, ""))
    encoding = dataset.original_character_set
    names = encoding if isinstance(encoding, str) else tuple(encoding)
    for tag in sorted(dataset.keys()):
        element = dataset.get_item(tag)
        if isinstance(element, RawDataElement):
            found += _of_bytes(element._replace(value_tell=0), names)  # wherever it lies
        else:
            found += _of_element(element, "")
    return found


@lru_cache(REMEMBERED)
def _of_bytes(raw: RawDataElement, encoding: str | tuple[str, ...]) -> list[tuple[str, str]]:
    """What an element says, by its bytes and how the data set writes texts."""
    names = encoding if isinstance(encoding, str) else list(encoding)
    return list(_of_element(convert_raw_data_element(raw, encoding=names), ""))


def _walk(dataset: Dataset, above: str) -> Iterator[tuple[str, str]]:
    for element in dataset:
        yield from _of_element(element, above)


def _of_element(element: DataElement, above: str) -> Iterator[tuple[str, str]]:
    tag = f"({element.tag.group:04X},{element.tag.element:04X})"
    place = f"{above}{tag} {element.keyword or ('private' if element.tag.is_private else '')}"
    if element.keyword == "PixelData":
        return
    if element.VR == VR.SQ:
        if not element.value:
            yield place, ""
        for item in element.value:
            yield from _walk(item, f"{place} > ")
    elif isinstance(element.value, MultiValue):
        yield place, "\\".join(map(str, element.value))
    else:
        yield place, "" if element.value is None else str(element.value)
