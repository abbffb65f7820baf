"""The one compressed frame of a data set, and the size that it states of itself.

Decoders believe their codestream, not Rows and Columns, and allocate what it claims: two
kilobytes can ask for gigabytes. In a valid object the two agree (PS3.5 8.2).
"""

from __future__ import annotations

import struct

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_fragments
from pydicom.uid import JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes

from latentdp.data.dicom.pixel_layout import PixelLayout
from latentdp.errors import UnsupportedInstance

__all__ = ["check", "single_frame"]

# Start of frame, of all processes of JPEG and of JPEG-LS (ISO/IEC 10918-1 B.1, 14495-1 C.2).
_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_JPEG_2000 = b"\xff\x4f\xff\x51"  # start of codestream, size (ISO/IEC 15444-1 A.5.1)
_BEGINNINGS = (b"\xff\xd8\xff", _JPEG_2000, b"\0\0\0\x0cjP  ")


def single_frame(dataset: Dataset) -> bytes:
    """The frame, whatever tables say of where it lies; the data set then holds it in one piece.

    Of one frame all fragments are parts, one after the other (PS3.5 A.4). Offset tables, basic or
    extended, are needed for several; in real files they are empty, count fragments or point
    elsewhere, and some writers leave the basic one out.
    """
    table, *fragments = generate_fragments(bytes(dataset.PixelData))
    if table.startswith(_BEGINNINGS):
        fragments.insert(0, table)
    frame = b"".join(fragments)
    dataset.PixelData = encapsulate([frame], has_bot=False)
    return frame


def check(frame: bytes, layout: PixelLayout) -> None:
    """Refuses a frame that is not of Rows by Columns and as many components by its own account.

    Raises:
        UnsupportedInstance: "unreadable". `struct.error` where a frame ends too soon.
    """
    if layout.syntax in JPEG2000TransferSyntaxes:
        find = _jpeg_2000
    elif layout.syntax in (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes):
        find = _jpeg
    else:
        return
    if find(frame) != (layout.rows, layout.columns, layout.samples):
        raise UnsupportedInstance(
            "unreadable",
            "expected a compressed frame in Pixel Data (7FE0,0010) of Rows (0028,0010) by Columns "
            "(0028,0011) and as many components as Samples per Pixel (0028,0002), got another "
            "size or none",
        )


def _jpeg_2000(frame: bytes) -> tuple[int, int, int] | None:
    start = frame.find(_JPEG_2000)
    if start < 0:
        return None
    right, bottom, left, top = struct.unpack_from(">4I", frame, start + 8)
    (components,) = struct.unpack_from(">H", frame, start + 40)
    return bottom - top, right - left, components


def _jpeg(frame: bytes) -> tuple[int, int, int] | None:
    at = 2  # after the start of image
    while at < len(frame):
        mark, kind = struct.unpack_from(">BB", frame, at)
        if mark != 0xFF:
            return None
        if kind == 0xFF:  # a fill byte
            at += 1
        elif kind in _FRAMES:
            rows, columns, components = struct.unpack_from(">HHB", frame, at + 5)
            return rows, columns, components
        else:
            at += 2 + struct.unpack_from(">H", frame, at + 2)[0]
    return None
