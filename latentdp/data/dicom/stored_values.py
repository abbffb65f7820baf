"""Stored values: which of their bits count, and which of them are padding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from latentdp.data.dicom.elements import integer
from latentdp.errors import UnsupportedInstance

__all__ = ["padding", "significant"]


def padding(
    stored: NDArray[np.integer], dataset: Dataset, *, bits: int, signed: bool
) -> NDArray[np.bool_] | None:
    """Returns where Pixel Padding (0028,0120), (0028,0121) fills, PS3.3 C.7.5.1.1.2.

    None where the header names no such value.
    """
    first = integer(dataset, "PixelPaddingValue")
    if first is None:
        return None
    last = integer(dataset, "PixelPaddingRangeLimit")
    first = _as_stored(first, bits, signed=signed)
    last = first if last is None else _as_stored(last, bits, signed=signed)
    return (stored >= min(first, last)) & (stored <= max(first, last))


def significant(
    stored: NDArray[np.integer],
    filled: NDArray[np.bool_] | None,
    dataset: Dataset,
    *,
    bits: int,
    signed: bool,
) -> NDArray[np.integer]:
    """Returns values without what lies above Bits Stored (0028,0101), PS3.5 8.1.1.

    There may be zeros, the sign once more, or overlays where an Overlay Bit Position (60xx,0102)
    says so. Anything else are values beyond what the header allows: without their highest bits
    the brightest would be shown as dark.

    Args:
        stored: As they lie in 8 or 16 bits.
        filled: Where they are padding; None for nowhere.
        dataset: With the positions of overlays.
        bits: Bits Stored.
        signed: Whether values are.

    Raises:
        UnsupportedInstance: "bits".
    """
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if stored.min() >= low and stored.max() <= high:  # as nearly always
        return stored
    allocated = 8 * stored.itemsize
    words = stored.astype(f"u{stored.itemsize}")
    unused = (1 << allocated) - (1 << bits)
    for plane in range(16):
        position = dataset.get(Tag(0x6000 + 2 * plane, 0x0102))
        if position is not None and isinstance(position.value, int) and position.value > 0:
            unused &= ~(1 << position.value)
    sign = words >> (bits - 1) & 1
    above = words & unused
    extended = (above == unused) & (sign == 1) if signed else np.zeros(above.shape, dtype=np.bool_)
    beyond = (above != 0) & ~extended
    if (beyond if filled is None else beyond & ~filled).any():
        raise UnsupportedInstance(
            "bits",
            "expected pixel values within Bits Stored (0028,0101), got values beyond",
        )
    kept = (words & ((1 << bits) - 1)).astype(np.int32)
    return kept - (sign.astype(np.int32) << bits) if signed else kept


def _as_stored(value: int, bits: int, *, signed: bool) -> int:
    """A padding value as pixels have it: some writers give it the other way of signs."""
    if not signed:
        return value + 65_536 if value < 0 else value
    if value >= 1 << (bits - 1):
        if value < 1 << bits:  # in the bits that are stored
            return value - (1 << bits)
        return value - 65_536 if value > 32_767 else value
    return value
