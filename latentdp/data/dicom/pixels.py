"""From a data set to a picture: (h, w) float32 in [0, 1], 0 is black (air).

What is not supported is refused before anything is decoded; pydicom decodes;
`latentdp.data.dicom.grayscale` makes grey levels of stored values.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from latentdp.data.dicom import codestream, grayscale, reduced_resolution
from latentdp.data.dicom.grayscale import integer
from latentdp.errors import UnsupportedInstance

__all__ = ["MIN_SIDE", "picture"]

MIN_SIDE = 64
# A header that lies must not make us allocate gigabytes. The largest detectors have some 5,000
# pixels on a side, the largest stitched images 20,000 by 5,000.
_MAX_SIDE = 20_000
_MAX_PIXELS = 100_000_000

_PLUGINS = {
    # On damaged data pylibjpeg-rle panics: a message on stderr and a BaseException that ends a
    # batch. pydicom's own decoder of RLE takes 30 ms longer and raises as others do.
    RLELossless: "pydicom",
    # pylibjpeg-libjpeg, where it is installed, would come first and takes three times as long.
    JPEGLSLossless: "pyjpegls",
    JPEGLSNearLossless: "pyjpegls",
}

_EXTRAS = {
    JPEGLossless: ("JPEG lossless", "latentdp[gdcm]"),
    JPEGLosslessSV1: ("JPEG lossless", "latentdp[gdcm]"),
    JPEGExtended12Bit: ("12-bit JPEG", "latentdp[gpl]"),
}


def picture(dataset: Dataset, needed: tuple[int, int] | None = None) -> NDArray[np.float32]:
    """Returns the picture of a single-frame grey-scale data set.

    Args:
        dataset: Read from a file, so that its file meta holds the transfer syntax.
        needed: Height and width to which it will be reduced, None for all pixels.

    Returns:
        (h, w) in [0, 1] as MONOCHROME2 means it; padding is 0. With ``needed``, h and w may be
        some times smaller than in the file, and a little different from a reduction of all.

    Raises:
        UnsupportedInstance: "too-small", "too-large", "bits", "codec", "blank", "no-pixels" or
            "unreadable". What a decoder raises on corrupt data passes through.
    """
    signed = _check_layout(dataset)
    _check_codec(dataset)
    stored = None if needed is None else reduced_resolution.decode(dataset, needed)
    if stored is None:
        stored = _stored(dataset)
    padding = grayscale.padding(stored, dataset, signed=signed)
    if needed is not None:
        stored, padding = reduced_resolution.average(stored, padding, needed)
    return grayscale.levels(stored, padding, dataset, signed=signed)


def _check_layout(dataset: Dataset) -> bool:
    """Checks size and bits before anything is allocated; returns whether values are signed."""
    rows, columns = integer(dataset, "Rows"), integer(dataset, "Columns")
    if rows is None or columns is None:
        raise UnsupportedInstance(
            "no-pixels", "expected Rows (0028,0010) and Columns (0028,0011), got none"
        )
    if min(rows, columns) < MIN_SIDE:
        raise UnsupportedInstance(
            "too-small", f"expected at least {MIN_SIDE} pixels a side, got {rows} by {columns}"
        )
    if max(rows, columns) > _MAX_SIDE or rows * columns > _MAX_PIXELS:
        raise UnsupportedInstance(
            "too-large",
            f"expected at most {_MAX_SIDE} pixels a side and {_MAX_PIXELS} in all, "
            f"got {rows} by {columns}",
        )
    allocated, stored = integer(dataset, "BitsAllocated"), integer(dataset, "BitsStored")
    high, representation = integer(dataset, "HighBit"), integer(dataset, "PixelRepresentation")
    if not (
        allocated in (8, 16)
        and stored is not None
        and 8 <= stored <= allocated
        and high in (None, stored - 1)
        and representation in (0, 1)
    ):
        raise UnsupportedInstance(
            "bits",
            "expected 8 to 16 Bits Stored (0028,0101) in 8 or 16 allocated (0028,0100), the "
            "High Bit (0028,0102) one below, Pixel Representation (0028,0103) 0 or 1, got others",
        )
    return representation == 1


def _check_codec(dataset: Dataset) -> None:
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        return
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        decoder = None
    if decoder is None:
        raise UnsupportedInstance(
            "codec", "expected a transfer syntax (0002,0010) of still images, got another"
        )
    available = decoder.is_available
    if syntax == JPEGExtended12Bit and dataset.BitsStored > 8:
        # Pillow and gdcm offer themselves for this syntax and then fail beyond 8 bits.
        available = "pylibjpeg" in decoder.available_plugins
    if not available:
        what, extra = _EXTRAS.get(syntax, ("this compression (0002,0010)", "latentdp[gdcm]"))
        raise UnsupportedInstance(
            "codec", f'expected a decoder for {what}, got none: pip install "{extra}"'
        )
    codestream.check(dataset)


def _plugin(dataset: Dataset) -> str:
    """Returns the decoder to insist on, "" for pydicom's own order of those installed."""
    return _PLUGINS.get(dataset.file_meta.TransferSyntaxUID, "")


def _stored(dataset: Dataset) -> NDArray[np.integer]:
    """Returns all stored values, where it can be without a copy of them."""
    bits, signed = dataset.BitsStored, dataset.PixelRepresentation == 1
    if not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
        values = pixel_array(dataset, index=0, view_only=True, correct_unused_bits=False)
        # Above the Bits Stored (0028,0101) there may be anything, PS3.5 8.1.1, but rarely is.
        if values.max() <= high and (not signed or values.min() >= low):
            return values
    return pixel_array(dataset, index=0, decoding_plugin=_plugin(dataset))
