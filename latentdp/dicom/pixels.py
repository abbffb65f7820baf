"""From stored values to a picture: (h, w) float32 in [0, 1], 0 is black (air).

The order is that of PS3.3 C.11: padding is set aside, then modality LUT or rescale, then VOI
LUT or window, then MONOCHROME1 is inverted. pydicom decodes; the grey scale is computed here,
because `apply_presentation_lut` leaves MONOCHROME1 as it is unless the file holds a Presentation
LUT Shape (2050,0020), which a CR image rarely does, and because `apply_voi_lut` raises on the
empty and zero windows that real files hold.

There are at most 65,536 stored values, so the chain is computed once per value and looked up.

How a picture is scaled depends on its own values (minimum, maximum, percentiles). That costs no
privacy: the picture goes nowhere but into the mechanism, and only what the mechanism returns
leaves.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
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

from latentdp.dicom import codestream, reduced
from latentdp.errors import UnsupportedInstance

__all__ = ["MIN_SIDE", "picture"]

MIN_SIDE = 64
# A header that lies must not make us allocate gigabytes. The largest detectors have some 5,000
# pixels on a side, the largest stitched images 20,000 by 5,000.
_MAX_SIDE = 20_000
_MAX_PIXELS = 100_000_000

_Values: TypeAlias = NDArray[np.float64]

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
    stored = None if needed is None else reduced.decode(dataset, needed)
    if stored is None:
        stored = _stored(dataset)
    padding = _padding(stored, dataset, signed=signed)
    if needed is not None:
        stored, padding = reduced.average(stored, padding, needed)
    if padding.all():
        raise _blank()
    lowest = int(stored.min())
    values = np.arange(lowest, int(stored.max()) + 1, dtype=np.float64)
    with np.errstate(all="ignore"):  # wild slopes and windows; looked at once, below
        values = _modality(values, dataset, signed=signed)
        shown, has_voi = _voi(values, dataset)
        if not np.isfinite(shown).all():
            raise UnsupportedInstance(
                "unreadable",
                "expected finite values after Rescale Slope (0028,1053) and Intercept "
                "(0028,1052), got infinite ones",
            )
        index = stored.astype(np.intp) - lowest
        body = np.bincount(index[~padding] if padding.any() else index.ravel(), None, values.size)
        low, high = _range(shown, body) if has_voi else _percentiles(shown, body, (0.005, 0.995))
        if not high > low:
            raise _blank()
        # Divided before subtracting: high - low may be infinite where both are finite.
        span = high / 2 - low / 2
        grey = np.clip((shown / 2 - low / 2) / span, 0.0, 1.0)
    if str(dataset.PhotometricInterpretation).strip().upper() == "MONOCHROME1":
        grey = 1.0 - grey
    image: NDArray[np.float32] = grey.astype(np.float32)[index]
    image[padding] = 0.0
    return image


def _blank() -> UnsupportedInstance:
    return UnsupportedInstance(
        "blank", "expected a picture, got one grey everywhere (after LUT, window and padding)"
    )


def _check_layout(dataset: Dataset) -> bool:
    """Checks size and bits before anything is allocated; returns whether values are signed."""
    rows, columns = _integer(dataset, "Rows"), _integer(dataset, "Columns")
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
    allocated, stored = _integer(dataset, "BitsAllocated"), _integer(dataset, "BitsStored")
    high, representation = _integer(dataset, "HighBit"), _integer(dataset, "PixelRepresentation")
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


def _range(shown: _Values, counts: NDArray[np.intp]) -> tuple[float, float]:
    """Least and greatest of the values that occur."""
    there = shown[counts > 0]
    return float(there.min()), float(there.max())


def _percentiles(
    shown: _Values, counts: NDArray[np.intp], shares: tuple[float, float]
) -> tuple[float, float]:
    """Quantiles, interpolated linearly, of values that occur so many times each."""
    order = np.argsort(shown)
    below = np.cumsum(counts[order])
    place = np.array(shares) * (below[-1] - 1)
    left = shown[order[np.searchsorted(below, np.floor(place), side="right")]]
    right = shown[order[np.searchsorted(below, np.ceil(place), side="right")]]
    low, high = left + (right - left) * (place - np.floor(place))
    return float(low), float(high)


def _padding(stored: NDArray[np.integer], dataset: Dataset, *, signed: bool) -> NDArray[np.bool_]:
    """Returns where Pixel Padding (0028,0120), (0028,0121) fills, PS3.3 C.7.5.1.1.2."""
    first = _integer(dataset, "PixelPaddingValue")
    if first is None:
        return np.zeros(stored.shape, dtype=np.bool_)
    last = _integer(dataset, "PixelPaddingRangeLimit")
    if signed:  # some writers give the value as unsigned beside signed pixels
        first = _as_signed(first)
        last = None if last is None else _as_signed(last)
    last = first if last is None else last
    return (stored >= min(first, last)) & (stored <= max(first, last))


def _modality(values: _Values, dataset: Dataset, *, signed: bool) -> _Values:
    """Applies Modality LUT (0028,3000) or rescale (0028,1052), (0028,1053), PS3.3 C.11.1."""
    items = dataset.get("ModalityLUTSequence")
    if items:
        curve = _lut(items[0], signed=signed)
        if curve is None:
            raise UnsupportedInstance(
                "unreadable",
                "expected a Modality LUT (0028,3000) as its descriptor says, got another",
            )
        return curve(values)
    slope, intercept = _number(dataset, "RescaleSlope"), _number(dataset, "RescaleIntercept")
    return values * (slope or 1.0) + (intercept or 0.0)


def _voi(values: _Values, dataset: Dataset) -> tuple[_Values, bool]:
    """Applies the first VOI LUT (0028,3010) or else the first window, PS3.3 C.11.2.

    What cannot be used (width 0, empty, not a number) counts as absent.
    """
    items = dataset.get("VOILUTSequence")
    curve = _lut(items[0], signed=bool(values.min() < 0)) if items else None
    if curve is not None:
        return curve(values), True
    center, width = _number(dataset, "WindowCenter"), _number(dataset, "WindowWidth")
    if center is None or width is None or width <= 0:
        return values, False
    function = str(dataset.get("VOILUTFunction", "")).strip().upper()
    if function == "SIGMOID":
        return 0.5 + 0.5 * np.tanh(2.0 * (values - center) / width), True
    if function == "LINEAR_EXACT":
        return np.clip((values - center) / width + 0.5, 0.0, 1.0), True
    if width < 1:
        return values, False
    if width == 1:
        return (values > center - 0.5).astype(np.float64), True
    return np.clip((values - (center - 0.5)) / (width - 1.0) + 0.5, 0.0, 1.0), True


def _lut(item: Dataset, *, signed: bool) -> Callable[[_Values], _Values] | None:
    """Returns the look-up of a LUT item, None when it does not hold what it says.

    LUT Descriptor (0028,3002) is: entries (0 means 65,536), first value mapped, bits. Values
    below the first and beyond the last take the first and last entry, PS3.3 C.11.1.1.
    """
    descriptor, data = item.get("LUTDescriptor"), item.get("LUTData")
    if data is None or not isinstance(descriptor, MultiValue | list) or len(descriptor) != 3:
        return None
    if not all(isinstance(n, int) for n in descriptor):
        return None
    entries = (descriptor[0] & 0xFFFF) or 65_536
    first = _as_signed(descriptor[1]) if signed else descriptor[1]
    if isinstance(data, bytes):
        # Entries of 8 bits are packed two to a word, or not. Words have the byte order of the
        # data set; pydicom has swapped those that it read as numbers, not those read as bytes.
        packed = len(data) in (entries, entries + 1)
        order = "<" if item.original_encoding[1] is not False else ">"
        data = np.frombuffer(data, dtype="u1" if packed else f"{order}u2", count=entries)
    table = np.atleast_1d(np.asarray(data, dtype=np.float64))
    if table.shape != (entries,):
        return None

    def curve(values: _Values) -> _Values:
        position: _Values = np.clip(np.rint(values) - first, 0, entries - 1)
        return table[position.astype(np.intp)]

    return curve


def _as_signed(value: int) -> int:
    return value - 65_536 if value > 32_767 else value


def _integer(dataset: Dataset, keyword: str) -> int | None:
    value = dataset.get(keyword)
    return int(value) if isinstance(value, int) else None


def _number(dataset: Dataset, keyword: str) -> float | None:
    """Returns the first value as a finite float, or None."""
    value = dataset.get(keyword)
    if isinstance(value, MultiValue | list):
        value = value[0] if len(value) else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
