"""Files that hold more than a radiograph can are refused before they fill the memory."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

from latentdp.errors import UnsupportedInstance

__all__ = ["Bounded"]

# Twice 100 million pixels of 16 bits, and then some for the header.
MAX_BYTES = 512 * 2**20
_STEP = 2**20


class Bounded(io.BufferedReader):
    """A DICOM file, opened for reading.

    pydicom reads in portions of known size, except for a deflated data set (PS3.5 A.5), whose
    whole rest it reads at once and inflates. Inflated it may be a thousand times as large, so
    its size is found first, without keeping it.

    Raises:
        UnsupportedInstance: "too-large", here or from `read`.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        if path.stat().st_size > MAX_BYTES:
            self.close()
            raise _too_large()

    def read(self, size: int | None = -1, /) -> bytes:
        """As of any file, but refuses a rest that would inflate to too much."""
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
