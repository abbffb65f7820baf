"""Files that once did harm, made by code: name, bytes, and the reason of their refusal."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
)

from tests.support.mutations import good, split


def deflated_bomb() -> bytes:
    """Some 600 kB that inflate to 600 MB; pydicom took gigabytes to read a few megabytes."""
    meta, body = split(good(DeflatedExplicitVRLittleEndian))
    deflater = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    start = body[: body.rindex(b"\xe0\x7f\x10\x00")] + b"\xe0\x7f\x10\x00OW\0\0"
    parts = [deflater.compress(start + struct.pack("<I", 600_000_000))]
    parts += [deflater.compress(bytes(1_000_000)) for _ in range(600)]
    return meta + b"".join(parts) + deflater.flush()


def postscript() -> bytes:
    """A picture by its name, that Pillow gave to Ghostscript to run."""
    file = io.BytesIO()
    Image.linear_gradient("L").save(file, "EPS")
    return file.getvalue()


def png(width: int, height: int, rows: int) -> bytes:
    """A grey PNG that claims a size and holds a few rows."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(width + 1) * rows)
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def forged(marker: bytes, at: int, form: str, size: int, which: str) -> bytes:
    """A good file that claims another size, ``at`` bytes from the last ``marker``."""
    data = good(which)
    start = data.rindex(marker) + at
    claim = struct.pack(form, *[size] * (len(form) - 1))
    return data[:start] + claim + data[start + len(claim) :]


ROWS = b"\x28\0\x10\0US\2\0"
CORPUS: dict[str, tuple[Callable[[], bytes], str]] = {
    "deflated-bomb.dcm": (deflated_bomb, "too-large"),
    "postscript.png": (postscript, "unreadable"),
    # Pillow printed a warning, and a gigabyte was allocated for one value everywhere.
    "large.png": (lambda: png(13_000, 13_000, 9), "too-large"),
    "huge.png": (lambda: png(65_535, 65_535, 9), "too-large"),
    # The decoders allocated what these claim: 1.6 GB and seconds for a kilobyte.
    "claims.jls": (lambda: forged(b"\xff\xf7", 5, ">HH", 20_000, JPEGLSLossless), "unreadable"),
    "claims.j2k": (lambda: forged(b"\xff\x51", 6, ">II", 20_000, JPEG2000Lossless), "unreadable"),
    # Refused from the start.
    "rows.dcm": (lambda: forged(ROWS, 8, "<H", 65_535, ExplicitVRLittleEndian), "too-large"),
}  # fmt: skip
