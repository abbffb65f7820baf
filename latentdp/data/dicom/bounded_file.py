"""Files that hold more than a radiograph can are refused before they fill the memory.

pydicom reads in portions of known size, except for a deflated data set (PS3.5 A.5), whose whole
rest it reads at once and inflates. Inflated it may be a thousand times as large, so its size is
found first, without keeping it.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import BinaryIO

from latentdp.errors import UnsupportedInstance

__all__ = ["MAX_BYTES", "bounded"]

# Twice 100 million pixels of 16 bits, and then some for the header.
MAX_BYTES = 512 * 2**20
_STEP = 2**20


def bounded(source: Path | bytes) -> BinaryIO:
    """A DICOM file, opened for reading.

    Args:
        source: The file, or its bytes.

    Raises:
        UnsupportedInstance: "too-large", here or from ``read``.
    """
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > MAX_BYTES:
        raise _too_large()
    return _BoundedFile(io.FileIO(source)) if isinstance(source, Path) else _BoundedBytes(source)


class _BoundedFile(io.BufferedReader):
    """Refuses a rest that would inflate to too much."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size is None or size < 0:
            _check_inflated(data)
        return data


class _BoundedBytes(io.BytesIO):
    """Likewise; a value as large as pixels are is no copy of them."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._data = memoryview(data)

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size >= _STEP:
            start = self.tell()
            part = self._data[start : start + size]
            self.seek(start + len(part))
            return part  # type: ignore[return-value]  # pydicom hands it on as it is
        data = super().read(size)
        if size is None or size < 0:
            _check_inflated(data)
        return data


def _check_inflated(data: bytes) -> None:
    inflater, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    while data and not inflater.eof:
        total += len(inflater.decompress(data, _STEP))
        data = inflater.unconsumed_tail
        if total > MAX_BYTES:
            raise _too_large()


def _too_large() -> UnsupportedInstance:
    return UnsupportedInstance(
        "too-large", f"expected at most {MAX_BYTES >> 20} MiB in a file or inflated, got more"
    )
