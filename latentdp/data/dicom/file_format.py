"""A DICOM file as it lies on the disk: with preamble and meta header (PS3.10 7), or without.

Archives and research sets hold bare data sets too; dcmtk, gdcm and pydicom read them. They are
told from anything else by their first elements.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pydicom import config
from pydicom.dataset import FileDataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

from latentdp.data.dicom.elements import NEEDED, parse

__all__ = ["is_dicom", "read_elements"]

_MAGIC_AT = 128
_HEAD = 4096
# Groups in which a data set begins: of the meta header, and that of UIDs, dates and names.
_FIRST_GROUPS = (0x0002, 0x0008)
_CERTAIN = 3  # elements in ascending order that make a data set
_PIXEL_DATA = 0x7FE0_0010
_KNOWN_VRS = frozenset(str(vr).encode() for vr in VR if len(str(vr)) == 2)
_LONG_VRS = frozenset(str(vr).encode() for vr in EXPLICIT_VR_LENGTH_32)


def is_dicom(source: Path | bytes) -> bool:
    """Whether a regular file has DICM after the preamble, or begins as a data set does.

    Args:
        source: The file, or its bytes.
    """
    if isinstance(source, bytes):
        head, size = source[:_HEAD], len(source)
    else:
        try:
            if not source.is_file():
                return False
            with source.open("rb") as file:
                head = file.read(_HEAD)
        except OSError:
            return False
        size = source.stat().st_size
    return head[_MAGIC_AT : _MAGIC_AT + 4] == b"DICM" or _is_bare(head, size)


def read_elements(
    file: BinaryIO,
    wanted: Collection[int] | None = NEEDED,
    *,
    whole: bool = False,
    pixels: bool = True,
) -> FileDataset:
    """Reads elements and parses them.

    Args:
        file: Open at its beginning.
        wanted: Tags of what is parsed; all others are passed over unread. None for all.
        whole: Whether to read them too, unparsed, to the end of the file.
        pixels: Whether to read as far as the pixels. Else, and behind them, nothing is read.

    Returns:
        The data set; its file meta states the transfer syntax in which it was read.

    Raises:
        UnsupportedInstance: "unreadable", naming the element that cannot be parsed. On what is no
            DICOM pydicom raises nearly anything.
    """
    last = _PIXEL_DATA if pixels else _PIXEL_DATA - 1

    def is_past(tag: BaseTag, vr: str | None, length: int) -> bool:
        return tag > last and not whole

    listed: list[BaseTag | int] | None = None if wanted is None or whole else [*wanted]
    with _lenient():
        dataset = read_partial(file, is_past, force=True, specific_tags=listed)
    if len(dataset) == 0:  # so pydicom gives up on a truncated file
        raise EOFError
    parse(dataset, None if wanted is None else frozenset(wanted))
    if not dataset.file_meta.get("TransferSyntaxUID"):
        dataset.file_meta.TransferSyntaxUID = _encoding(dataset)
    return dataset


@contextmanager
def _lenient() -> Iterator[None]:
    """An element of the meta header that nobody needs may have a wrong length, too."""
    before = config.convert_wrong_length_to_UN
    config.convert_wrong_length_to_UN = True
    try:
        yield
    finally:
        config.convert_wrong_length_to_UN = before


def _encoding(dataset: FileDataset) -> UID:
    """The transfer syntax of a file that states none, as it was found by looking."""
    implicit, little = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little is not False else ExplicitVRBigEndian


def _is_bare(head: bytes, size: int) -> bool:
    """Whether elements of ascending tags follow each other from the first byte on."""
    forms = (("<", True), ("<", False), (">", True))
    return any(_follow(head, size, order, explicit) for order, explicit in forms)


def _follow(head: bytes, size: int, order: str, explicit: bool) -> bool:
    at, last, count = 0, 0, 0
    while at + 8 <= len(head) and count < _CERTAIN:
        group, element = struct.unpack_from(f"{order}HH", head, at)
        tag = group << 16 | element
        if tag <= last or (count == 0 and group not in _FIRST_GROUPS):
            return False
        length, skip = _length(head, at, order, explicit)
        if length is None or at + skip + length > size:
            return False
        at, last, count = at + skip + length, tag, count + 1
    return count >= _CERTAIN or (count > 0 and at > len(head))


def _length(head: bytes, at: int, order: str, explicit: bool) -> tuple[int | None, int]:
    """Of the value of an element, None where it cannot be; and of what stands before it."""
    if not explicit:
        return struct.unpack_from(f"{order}I", head, at + 4)[0], 8
    kind = head[at + 4 : at + 6]
    if kind not in _KNOWN_VRS:
        return None, 8
    if kind not in _LONG_VRS:
        return struct.unpack_from(f"{order}H", head, at + 6)[0], 8
    if at + 12 > len(head):
        return None, 12
    return struct.unpack_from(f"{order}I", head, at + 8)[0], 12
