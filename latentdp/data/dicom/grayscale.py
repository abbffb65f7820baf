"""Stored values to grey levels, as PS3.3 C.11 has them in order.

Padding is set aside, then modality LUT or rescale, then VOI LUT or window, then MONOCHROME1 is
inverted. It is computed here, because `apply_presentation_lut` leaves MONOCHROME1 as it is unless
the file holds a Presentation LUT Shape (2050,0020), which a CR image rarely does, and because
`apply_voi_lut` raises on the empty and zero windows that real files hold.

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

from latentdp.errors import UnsupportedInstance

__all__ = ["integer", "levels", "padding"]

_Values: TypeAlias = NDArray[np.float64]


def levels(
    stored: NDArray[np.integer], filled: NDArray[np.bool_], dataset: Dataset, *, signed: bool
) -> NDArray[np.float32]:
    """Returns the picture: 0 is black, 1 white, as MONOCHROME2 means it.

    Args:
        stored: ``(h, w)`` values.
        filled: ``(h, w)``; where it is, the picture is 0, and it does not scale the rest.
        dataset: With the elements of C.11.
        signed: Whether stored values are.

    Returns:
        (h, w) in [0, 1].

    Raises:
        UnsupportedInstance: "blank" or "unreadable".
    """
    if filled.all():
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
        counts = np.bincount(index[~filled] if filled.any() else index.ravel(), None, values.size)
        low, high = (
            _range(shown, counts) if has_voi else _percentiles(shown, counts, (0.005, 0.995))
        )
        if not high > low:
            raise _blank()
        # Divided before subtracting: high - low may be infinite where both are finite.
        span = high / 2 - low / 2
        shades = np.clip((shown / 2 - low / 2) / span, 0.0, 1.0)
    if str(dataset.PhotometricInterpretation).strip().upper() == "MONOCHROME1":
        shades = 1.0 - shades
    image: NDArray[np.float32] = shades.astype(np.float32)[index]
    image[filled] = 0.0
    return image


def padding(stored: NDArray[np.integer], dataset: Dataset, *, signed: bool) -> NDArray[np.bool_]:
    """Returns where Pixel Padding (0028,0120), (0028,0121) fills, PS3.3 C.7.5.1.1.2."""
    first = integer(dataset, "PixelPaddingValue")
    if first is None:
        return np.zeros(stored.shape, dtype=np.bool_)
    last = integer(dataset, "PixelPaddingRangeLimit")
    if signed:  # some writers give the value as unsigned beside signed pixels
        first = _as_signed(first)
        last = None if last is None else _as_signed(last)
    last = first if last is None else last
    return (stored >= min(first, last)) & (stored <= max(first, last))


def _blank() -> UnsupportedInstance:
    return UnsupportedInstance(
        "blank", "expected a picture, got one grey everywhere (after LUT, window and padding)"
    )


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


def integer(dataset: Dataset, keyword: str) -> int | None:
    """Returns the value of an element that is a whole number, or None."""
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
