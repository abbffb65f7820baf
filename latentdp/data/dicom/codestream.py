"""The size that a compressed frame states of itself, found without decoding it.

Decoders believe their codestream, not Rows and Columns, and allocate what it claims: two
kilobytes can ask for gigabytes. In a valid object the two agree (PS3.5 8.2).
"""

from __future__ import annotations

import struct

from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes, JPEGTransferSyntaxes

from latentdp.errors import UnsupportedInstance

__all__ = ["check"]

# Start of frame, of all processes of JPEG and of JPEG-LS (ISO/IEC 10918-1 B.1, 14495-1 C.2).
_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_JPEG_2000 = b"\xff\x4f\xff\x51"  # start of codestream, size (ISO/IEC 15444-1 A.5.1)


def check(dataset: Dataset) -> None:
    """Refuses a frame that is not of Rows by Columns and one component by its own account.

    Raises:
        UnsupportedInstance: "unreadable". `struct.error` where a frame ends too soon.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in JPEG2000TransferSyntaxes:
        find = _jpeg_2000
    elif syntax in (*JPEGTransferSyntaxes, *JPEGLSTransferSyntaxes):
        find = _jpeg
    else:
        return
    if find(get_frame(dataset.PixelData, 0, number_of_frames=1)) != (
        dataset.Rows,
        dataset.Columns,
        1,
    ):
        raise UnsupportedInstance(
            "unreadable",
            "expected a compressed frame of Rows (0028,0010) by Columns (0028,0011) and one "
            "component, got another size or none",
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
