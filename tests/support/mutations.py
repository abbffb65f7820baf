"""Good files of many kinds, and damage to them: for fuzzing."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image
from pydicom.filebase import DicomBytesIO
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from tests.support.dicom_files import coded, lut, radiograph, save
from tests.support.releases import texture

CANARY = "QXCANARY"
NATIVE = (
    ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)  # fmt: skip
PICTURES = {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF"}
# What breaks parsers: delimiters, undefined lengths, VRs and transfer syntaxes in a wrong place.
PIECES = (
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0",
    b"\xff\xff\xff\xff", b"\xff\xff", b"\0\0", b"SQ\0\0\xff\xff\xff\xff", b"UN\0\0", b"QQ", b"US",
    b"OB\0\0", b"DS", b"IS", b"1.2.840.10008.1.2.4.90\0\0", b"1.2.840.10008.1.2.1.99",
    b"\x28\0\x10\0US\2\0\xff\xff", b"\x28\0\x02\0US\2\0\3\0", b"\x28\0\x00\x01US\2\0\x20\0",
    b"1e999", b"\\\\\\", b"\xff\x52", b"\xff\x4f\xff\x51", b"\xff\xd8\xff", b"IDAT",
    b"IHDR", b"\x1b$B",
)  # fmt: skip
Damage = tuple[str, float, bytes]


@cache
def good(which: str) -> bytes:
    """A file that is read: a transfer syntax's UID, or the suffix of a picture."""
    stored = np.rint(texture(3, 72, 80) * 4095).astype(np.uint16)
    if which in PICTURES:
        file = io.BytesIO()
        how = {"comment": CANARY} if which == ".jpg" else {}
        Image.fromarray((stored >> 4).astype(np.uint8)).save(file, PICTURES[which], **how)
        return file.getvalue()
    dataset = radiograph(
        stored,
        PatientName=CANARY,
        PatientID=CANARY,
        StudyDescription=CANARY,
        VOILUTSequence=[lut((64, 0, 8), np.arange(64))],
        ViewCodeSequence=[coded("postero-anterior")],
        WindowCenter="2048",
        WindowWidth="4096",
        RescaleSlope="1",
        RescaleIntercept="0",
        PixelPaddingValue=0,
    )
    if which in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
        dataset.compress(which)
    else:
        dataset.file_meta.TransferSyntaxUID = which
    if which == ExplicitVRBigEndian:
        dataset.PixelData = stored.astype(">u2").tobytes()
    file = DicomBytesIO()
    save(dataset, file)
    return file.getvalue()


GOOD = (*NATIVE, RLELossless, JPEGLSLossless, JPEG2000Lossless, *PICTURES)


def damaged(which: str, damages: Sequence[Damage]) -> bytes:
    """A good file after some damage: what, where (0 to 1; of DICOM mostly the header), with what.

    A deflated data set is damaged inside.
    """
    data = good(which)
    head = split(data) if which == DeflatedExplicitVRLittleEndian else None
    if head is not None:
        data = head[1]
    for what, where, piece in damages:
        at = int(where * len(data))
        if what == "overwrite":
            data = data[:at] + piece + data[at + len(piece) :]
        elif what == "insert":
            data = data[:at] + piece + data[at:]
        elif what == "delete":
            data = data[:at] + data[at + len(piece) :]
        elif what == "truncate":
            data = data[: max(at, 132)]
        elif what == "splice":
            other = good(GOOD[len(piece) % len(GOOD)])
            data = data[:at] + other[len(other) // 3 :]
    return data if head is None else head[0] + deflate(data)


def split(data: bytes) -> tuple[bytes, bytes]:
    """A DICOM file's meta information and its data set, inflated if need be."""
    end = 144 + int.from_bytes(data[140:144], "little")
    body = data[end:]
    if DeflatedExplicitVRLittleEndian.encode() in data[:end]:
        body = zlib.decompress(body, -zlib.MAX_WBITS)
    return data[:end], body


def deflate(body: bytes) -> bytes:
    """A deflated data set (PS3.5 A.5)."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(body) + deflater.flush()


def with_elements(syntax: str, elements: bytes, where: float) -> bytes:
    """A good file with more bytes at the start, at the end, or before the pixels of its data."""
    meta, body = split(good(syntax))
    pixels = b"\x7f\xe0\x00\x10" if syntax == ExplicitVRBigEndian else b"\xe0\x7f\x10\x00"
    at = (0, body.rindex(pixels), len(body))[int(where * 3) % 3]
    body = body[:at] + elements + body[at:]
    return meta + (deflate(body) if syntax == DeflatedExplicitVRLittleEndian else body)
