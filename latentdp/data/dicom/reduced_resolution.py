"""Stored values at the resolution that is needed, which takes a tenth of the time.

A JPEG 2000 codestream holds the image at halved sizes too (ISO/IEC 15444-1 B.5). pydicom decodes
the largest; Pillow can stop earlier. Of everything else blocks of pixels are averaged before they
are looked at, which is what resizing does with them anyway.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels.utils import get_j2k_parameters
from pydicom.uid import JPEG2000, JPEG2000Lossless

from latentdp.data.dicom.pixel_layout import PixelLayout

__all__ = ["average", "decode"]

# What is left is at least so many times the size needed. A halved wavelet image is sharper than an
# average and lies half a pixel off, and a window that cuts grey levels off does it to averages;
# `arrays.resize` smooths that away, to 0.006 (rms) on chests.
_MARGIN = 8
_BAND = 32  # rows of blocks


def decode(
    dataset: Dataset, frame: bytes, layout: PixelLayout, needed: tuple[int, int]
) -> NDArray[np.integer] | None:
    """Returns stored values at a power of two below full size.

    Args:
        dataset: May state a padding value.
        frame: Compressed.
        layout: Of the frame, checked.
        needed: Height and width to which the picture will be reduced.

    Returns:
        None where all pixels should be decoded: another transfer syntax, an image that is not
        large, one with padding (which mixes with its neighbours), a codestream that does not
        agree with the header, or one that Pillow cannot decode so.
    """
    if layout.syntax not in (JPEG2000, JPEG2000Lossless) or "PixelPaddingValue" in dataset:
        return None
    size = (layout.rows, layout.columns)
    halvings = _halvings(size, needed)
    bits, signed = layout.bits, layout.signed
    described = {"jp2": False, "precision": bits, "is_signed": signed}
    if halvings == 0 or get_j2k_parameters(frame) != described:
        return None
    try:
        with Image.open(io.BytesIO(frame), formats=["JPEG2000"]) as picture:
            if picture.size != size[::-1] or picture.mode not in ("L", "I;16"):
                return None
            picture.reduce = halvings  # type: ignore[method-assign, assignment]
            values = np.asarray(picture)
    except (OSError, SyntaxError, ValueError):  # too few resolutions, or damage
        return None
    # Pillow fills up 8 or 16 bits from above, and shifts signed values to be positive.
    stored: NDArray[np.int32] = values.astype(np.int32) >> (8 * values.itemsize - bits)
    return stored - (1 << (bits - 1)) if signed else stored


def average(
    stored: NDArray[np.integer],
    padding: NDArray[np.bool_] | None,
    needed: tuple[int, int],
    *,
    bits: int,
    signed: bool,
) -> tuple[NDArray[np.integer], NDArray[np.bool_] | None]:
    """Means of square blocks, and which of them are nothing but padding.

    Args:
        stored: ``(h, w)`` values.
        padding: ``(h, w)``; such values count in no mean. None for no padding.
        needed: Height and width to which the picture will be reduced.
        bits: Of a stored value.
        signed: Whether stored values are.

    Returns:
        Both at a fraction of the size, at least eight times what is needed, without the few rows
        and columns beyond the last whole block; or as they were, if they are not large.
    """
    step = min(s // (_MARGIN * n) for s, n in zip(stored.shape, needed, strict=True))
    if step < 2:
        return stored, padding
    most = step * step
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, (1 << bits) - 1)
    if padding is None or not padding.any():
        # With half of what is divided by, so that the mean is rounded, and not cut off.
        sums = _sums(stored, step, _holding(most * low, most * high + most // 2))
        sums += most // 2
        sums //= most
        return sums, None
    counts = _sums(~padding, step, _holding(0, most))
    sums = _sums(np.where(padding, 0, stored), step, _holding(most * low, most * high))
    return np.rint(sums / np.maximum(counts, 1)).astype(np.int64), counts == 0


def _holding(low: int, high: int) -> np.dtype[Any]:
    """The smallest type of integers that holds both."""
    return np.result_type(np.min_scalar_type(low), np.min_scalar_type(high))


def _sums(values: NDArray[Any], step: int, kind: np.dtype[Any]) -> NDArray[Any]:
    """Of blocks, in integers of this kind.

    Rows first, which lie in memory one after the other; a few rows of blocks at a time, which
    stay in the cache until they are added up.
    """
    height, width = (s // step for s in values.shape)
    sums = np.empty((height, width), dtype=kind)
    for start in range(0, height, _BAND):
        band = values[start * step : min(start + _BAND, height) * step, : width * step]
        rows = np.add.reduce(band.reshape(-1, step, width * step), axis=1, dtype=kind)
        part = sums[start : start + _BAND]
        part[:] = rows[:, ::step]
        for i in range(1, step):
            part += rows[:, i::step]
    return sums


def _halvings(size: tuple[int, int], needed: tuple[int, int]) -> int:
    """Returns the most halvings of ``size`` that leave enough and that Pillow can do."""
    most = min(s // (_MARGIN * n) for s, n in zip(size, needed, strict=True)).bit_length() - 1
    for halvings in range(most, 0, -1):
        step = 1 << halvings
        # The codec rounds sizes up, Pillow to the nearest, and where they differ Pillow fails.
        if all(-(-s // step) == (s + step // 2) // step for s in size):
            return halvings
    return 0
