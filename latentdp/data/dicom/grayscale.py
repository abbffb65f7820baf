"""Stored values to grey levels, as PS3.3 C.11 has them in order.

Padding is set aside, then modality LUT or rescale, then VOI LUT or window, then MONOCHROME1 is
inverted. Real files hold LUTs and windows that belong to other numbers and would leave one shade
or two: then the next one is taken, and where there is none the percentiles.

It is computed here, because `apply_presentation_lut` leaves MONOCHROME1 as it is unless the file
holds a Presentation LUT Shape (2050,0020), which a CR image rarely does, and because
`apply_voi_lut` raises on the empty and zero windows that real files hold.

There are at most 65,536 stored values, so the chain is computed once per value and looked up.

How a picture is scaled depends on its own values (minimum, maximum, percentiles). That costs no
privacy: the picture goes nowhere but into the mechanism, and only what the mechanism returns
leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from latentdp.data.dicom.elements import number
from latentdp.data.grey_levels import is_grey, percentiles
from latentdp.errors import UnsupportedInstance

__all__ = ["check_grey", "levels"]

_Values: TypeAlias = NDArray[np.float64]


def levels(
    stored: NDArray[np.integer],
    filled: NDArray[np.bool_] | None,
    dataset: Dataset,
    *,
    bits: int,
    signed: bool,
) -> NDArray[np.float32]:
    """Returns the picture: 0 is black, 1 white, as MONOCHROME2 means it.

    Args:
        stored: ``(h, w)`` values.
        filled: ``(h, w)``; where it is, the picture is 0, and it does not scale the rest. None
            for nowhere.
        dataset: With the elements of C.11.
        bits: Of a stored value.
        signed: Whether stored values are.

    Returns:
        (h, w) in [0, 1].

    Raises:
        UnsupportedInstance: "blank" or "unreadable".
    """
    if filled is not None and filled.all():
        raise _blank()
    lowest = int(stored.min())
    values = np.arange(lowest, int(stored.max()) + 1, dtype=np.float64)
    with np.errstate(all="ignore"):  # wild slopes and windows; looked at once, below
        values = _modality(values, dataset, signed=signed)
        if not np.isfinite(values).all():
            raise UnsupportedInstance(
                "unreadable",
                "expected finite values after Rescale Slope (0028,1053) and Intercept "
                "(0028,1052), got infinite ones",
            )
        index = stored.astype(np.intp)
        index -= lowest
        seen = index.ravel() if filled is None or not filled.any() else index[~filled]
        counts = np.bincount(seen, None, values.size)
        renderings = (
            *_vois(values, dataset, signed=_can_be_negative(dataset, bits, signed=signed)),
            (values, percentiles(values, counts, (0.005, 0.995))),
        )
        shades = None
        for shown, ends in renderings:
            low, high = _range(shown, counts) if ends is None else ends
            # Divided before subtracting: high - low may be infinite where both are finite.
            span = high / 2 - low / 2
            shades = np.clip((shown / 2 - low / 2) / span, 0.0, 1.0)
            if high > low and is_grey(shades, counts):
                break
        else:
            raise _blank()
    if str(dataset.PhotometricInterpretation).strip().upper() == "MONOCHROME1":
        shades = 1.0 - shades
    image = np.take(shades.astype(np.float32), index)
    if filled is not None:
        image[filled] = 0.0
    return image


def check_grey(image: NDArray[np.float32]) -> None:
    """Refuses a picture ``(h, w)`` in [0, 1] that has no window and hardly any grey.

    Raises:
        UnsupportedInstance: "blank".
    """
    shades, counts = np.unique(image, return_counts=True)
    if not is_grey(shades.astype(np.float64), counts):
        raise _blank()


def _blank() -> UnsupportedInstance:
    return UnsupportedInstance(
        "blank",
        "expected a picture in Pixel Data (7FE0,0010), got hardly any grey between black and "
        "white, with the VOI LUT (0028,3010), with the window (0028,1050), (0028,1051) and "
        "without, outside of Pixel Padding (0028,0120)",
    )


def _range(shown: _Values, counts: NDArray[np.intp]) -> tuple[float, float]:
    """Least and greatest of the values that occur."""
    there = shown[counts > 0]
    return float(there.min()), float(there.max())


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
    slope, intercept = _rescale(dataset)
    return values * slope + intercept


def _rescale(dataset: Dataset) -> tuple[float, float]:
    slope, *_ = _numbers(dataset, "RescaleSlope")
    intercept, *_ = _numbers(dataset, "RescaleIntercept")
    return slope or 1.0, intercept or 0.0


def _can_be_negative(dataset: Dataset, bits: int, *, signed: bool) -> bool:
    """Whether what the modality LUT or rescale gives is signed, PS3.3 C.11.2.1.1.

    It is a matter of what values can occur, not of those that do in one picture.
    """
    if dataset.get("ModalityLUTSequence"):
        return False
    lowest, highest = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    slope, intercept = _rescale(dataset)
    return min(slope * lowest, slope * (highest - 1)) + intercept < 0


def _vois(
    values: _Values, dataset: Dataset, *, signed: bool
) -> Iterator[tuple[_Values, tuple[float, float] | None]]:
    """The values under each VOI LUT (0028,3010) and then each window, PS3.3 C.11.2.

    Each comes with the ends of its range, None for least and greatest of what occurs. What cannot
    be used (width 0, empty, not a number) counts as absent.
    """
    for item in dataset.get("VOILUTSequence") or ():
        curve = _lut(item, signed=signed)
        if curve is not None:
            yield curve(values), None
    function = str(dataset.get("VOILUTFunction", "")).strip().upper()
    centers, widths = _numbers(dataset, "WindowCenter"), _numbers(dataset, "WindowWidth")
    for center, width in zip(centers, widths, strict=False):
        shown = _window(values, center, width, function)
        if shown is not None and np.isfinite(shown).all():
            yield shown, None


def _window(
    values: _Values, center: float | None, width: float | None, function: str
) -> _Values | None:
    """Values under a window, None if it cannot be used."""
    if center is None or width is None or width <= 0:
        return None
    if function == "SIGMOID":
        return 0.5 + 0.5 * np.tanh(2.0 * (values - center) / width)
    if function == "LINEAR_EXACT":
        return np.clip((values - center) / width + 0.5, 0.0, 1.0)
    if width <= 1:  # a threshold, or nothing
        return None
    return np.clip((values - (center - 0.5)) / (width - 1.0) + 0.5, 0.0, 1.0)


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
    # Either may be written the other way of signs.
    first = _as_signed(descriptor[1]) if signed else descriptor[1] & 0xFFFF
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


def _numbers(dataset: Dataset, keyword: str) -> list[float | None]:
    """Returns the values as finite floats, None for each that is none, and at least one."""
    value = dataset.get(keyword)
    values = list(value) if isinstance(value, MultiValue | list) else [value]
    return [number(each) for each in values] or [None]
