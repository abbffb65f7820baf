"""JPEG 2000 decoded at the resolution that is needed, which takes a tenth of the time.

A codestream holds the image at halved sizes too (ISO/IEC 15444-1 B.5). pydicom decodes the
largest; Pillow can stop earlier.
"""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.utils import get_j2k_parameters
from pydicom.uid import JPEG2000, JPEG2000Lossless

__all__ = ["decode"]

# What is left is at least so many times the size needed. A halved wavelet image is sharper than an
# average and lies half a pixel off; `arrays.resize` smooths that away, to 0.006 (rms) on chests.
_MARGIN = 8


def decode(dataset: Dataset, needed: tuple[int, int]) -> NDArray[np.int32] | None:
    """Returns stored values at a power of two below full size.

    Args:
        dataset: With checked Rows, Columns, Bits Stored and Pixel Representation.
        needed: Height and width to which the picture will be reduced.

    Returns:
        None where all pixels should be decoded: another transfer syntax, an image that is not
        large, one with padding (which mixes with its neighbours), a codestream that does not
        agree with the header, or one that Pillow cannot decode so.
    """
    if dataset.file_meta.TransferSyntaxUID not in (JPEG2000, JPEG2000Lossless):
        return None
    if "PixelPaddingValue" in dataset:
        return None
    size = (dataset.Rows, dataset.Columns)
    halvings = _halvings(size, needed)
    bits, signed = dataset.BitsStored, dataset.PixelRepresentation == 1
    codestream = get_frame(dataset.PixelData, 0, number_of_frames=1)
    told = {"jp2": False, "precision": bits, "is_signed": signed}
    if halvings == 0 or get_j2k_parameters(codestream) != told:
        return None
    try:
        with Image.open(io.BytesIO(codestream), formats=["JPEG2000"]) as picture:
            if picture.size != size[::-1] or picture.mode not in ("L", "I;16"):
                return None
            picture.reduce = halvings  # type: ignore[method-assign, assignment]
            values = np.asarray(picture)
    except (OSError, SyntaxError, ValueError):  # too few resolutions, or damage
        return None
    # Pillow fills up 8 or 16 bits from above, and shifts signed values to be positive.
    stored: NDArray[np.int32] = values.astype(np.int32) >> (8 * values.itemsize - bits)
    return stored - (1 << (bits - 1)) if signed else stored


def _halvings(size: tuple[int, int], needed: tuple[int, int]) -> int:
    """Returns the most halvings of ``size`` that leave enough and that Pillow can do."""
    most = min(s // (_MARGIN * n) for s, n in zip(size, needed, strict=True)).bit_length() - 1
    for halvings in range(most, 0, -1):
        step = 1 << halvings
        # The codec rounds sizes up, Pillow to the nearest, and where they differ Pillow fails.
        if all(-(-s // step) == (s + step // 2) // step for s in size):
            return halvings
    return 0
