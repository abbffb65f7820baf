"""From a data set to a picture: (h, w) float32 in [0, 1], 0 is black (air).

What is not supported is refused before anything is decoded; pydicom decodes;
`latentdp.data.dicom.grayscale` makes grey levels of stored values.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import (
    UID,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from latentdp.data.dicom import codestream, colour, grayscale, reduced_resolution
from latentdp.data.dicom.pixel_layout import PixelLayout, layout_of
from latentdp.data.dicom.stored_values import padding, significant
from latentdp.errors import UnsupportedInstance

__all__ = ["check_syntax", "picture"]

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
# Registered since, and not yet in pydicom's dictionary.
_NEW_SYNTAXES = MappingProxyType(
    {
        "1.2.840.10008.1.2.4.110": "JPEG XL, lossless",
        "1.2.840.10008.1.2.4.111": "JPEG XL, recompressed JPEG",
        "1.2.840.10008.1.2.4.112": "JPEG XL",
        "1.2.840.10008.1.2.8.1": "deflated image frames",
    }
)

_T = TypeVar("_T")


def picture(dataset: Dataset, needed: tuple[int, int] | None = None) -> NDArray[np.float32]:
    """Returns the picture of a single-frame data set, which may be changed on the way.

    Args:
        dataset: Read from a file, so that its file meta holds the transfer syntax.
        needed: Height and width to which it will be reduced, None for all pixels.

    Returns:
        (h, w) in [0, 1] as MONOCHROME2 means it; padding is 0. With ``needed``, h and w may be
        some times smaller than in the file, and a little different from a reduction of all.

    Raises:
        UnsupportedInstance: "too-small", "too-large", "bits", "codec", "colour", "blank",
            "inverted", "no-pixels" or "unreadable".
    """
    layout = layout_of(dataset)
    check_syntax(layout.syntax)
    _check_codec(layout)
    # As `layout_of` read them; pydicom wants them as PS3.3 spells them.
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = layout.photometric, layout.samples
    if "NumberOfFrames" in dataset:
        del dataset.NumberOfFrames
    frame = _frame(dataset, layout)
    if not layout.is_grey:
        return _of_colour(dataset, layout)
    stored = None
    if needed is not None and frame:
        stored = reduced_resolution.decode(dataset, frame, layout, needed)
    if stored is None:
        stored = _decoded(dataset, layout)
    bits, signed = layout.bits, layout.signed
    filled = padding(stored, dataset, bits=bits, signed=signed)
    stored = significant(stored, filled, dataset, bits=bits, signed=signed)
    if filled is not None:
        again = padding(stored, dataset, bits=bits, signed=signed)
        filled = filled if again is None else filled | again
    if needed is not None:
        stored, filled = reduced_resolution.average(
            stored, filled, needed, bits=bits, signed=signed
        )
    return grayscale.levels(stored, filled, dataset, bits=bits, signed=signed)


def check_syntax(syntax: UID) -> None:
    """Refuses a transfer syntax (0002,0010) that is not known: what follows may be anything.

    Raises:
        UnsupportedInstance: "codec".
    """
    if not syntax.is_private and syntax.is_transfer_syntax:
        return
    got = _NEW_SYNTAXES.get(syntax, "a private or unknown one")
    raise UnsupportedInstance(
        "codec", f"expected a transfer syntax (0002,0010) that can be decoded, got {got}"
    )


def _check_codec(layout: PixelLayout) -> None:
    syntax = layout.syntax
    if not syntax.is_encapsulated:
        return
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        decoder = None
    if decoder is None:
        raise UnsupportedInstance(
            "codec",
            f"expected a transfer syntax (0002,0010) of still images, got {syntax.name}",
        )
    available = decoder.is_available
    if syntax == JPEGExtended12Bit and layout.bits > 8:
        # Pillow and gdcm offer themselves for this syntax and then fail beyond 8 bits.
        available = "pylibjpeg" in decoder.available_plugins
    if not available:
        what, extra = _EXTRAS.get(syntax, ("this compression", "latentdp[gdcm]"))
        raise UnsupportedInstance(
            "codec",
            f'expected a decoder for {what} (0002,0010), got none: pip install "{extra}"',
        )


def _frame(dataset: Dataset, layout: PixelLayout) -> bytes:
    """The compressed frame, checked; empty where pixels are not compressed."""
    if not layout.syntax.is_encapsulated:
        return b""
    frame = _or_unreadable(lambda: codestream.single_frame(dataset))
    _or_unreadable(lambda: codestream.check(frame, layout))
    return frame


def _decoded(dataset: Dataset, layout: PixelLayout) -> NDArray[np.integer]:
    """All stored values, as they lie there; where it can be without a copy of them."""
    return _or_unreadable(
        lambda: pixel_array(
            dataset,
            index=0,
            decoding_plugin=_PLUGINS.get(layout.syntax, ""),
            view_only=not layout.syntax.is_encapsulated,
            correct_unused_bits=False,
        )
    )


def _of_colour(dataset: Dataset, layout: PixelLayout) -> NDArray[np.float32]:
    if layout.samples == 3 and "PlanarConfiguration" not in dataset:
        dataset.PlanarConfiguration = 0
    plugin = _PLUGINS.get(layout.syntax, "")
    values = _or_unreadable(lambda: pixel_array(dataset, index=0, decoding_plugin=plugin))
    if layout.samples == 1:
        image = _or_unreadable(lambda: colour.of_palette(values, dataset))
    else:
        image = colour.grey(values, layout.bits)
    grayscale.check_grey(image)
    return image


def _or_unreadable(work: Callable[[], _T]) -> _T:
    """Of work on pixels; what decoders raise on corrupt data names the tag, and quotes nothing."""
    try:
        return work()
    except UnsupportedInstance:
        raise
    # Decoders raise nearly anything, as in `instance.guarded`.
    except Exception:  # noqa: BLE001, S110
        pass
    raise UnsupportedInstance(
        "unreadable",
        "expected Pixel Data (7FE0,0010) as the transfer syntax (0002,0010), Rows (0028,0010) and "
        "Columns (0028,0011) have it, got truncated, corrupt or other data",
    )
