"""Grey pictures that are stored in colour, as captures of screens and converted films are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from latentdp.errors import UnsupportedInstance

__all__ = ["grey", "of_palette"]

# Of 255 levels; JPEG's colour conversion moves grey by a level or two.
_TOLERANCE = 3
_PALETTES = ("Red", "Green", "Blue")


def grey(channels: NDArray[np.integer], bits: int) -> NDArray[np.float32]:
    """The grey levels of a picture whose channels are equal.

    They are shown as they are: a colour image has no window (PS3.3 C.7.6.3).

    Args:
        channels: ``(h, w, 3)``, red, green and blue.
        bits: Of a value.

    Returns:
        (h, w) in [0, 1].

    Raises:
        UnsupportedInstance: "colour".
    """
    most = (1 << bits) - 1
    red = channels[..., 0].astype(np.int32)
    for other in (1, 2):
        if np.abs(channels[..., other] - red).max() > _TOLERANCE * most / 255:
            raise UnsupportedInstance(
                "colour",
                "expected equal channels of a capture (0028,0002) in grey, got colour",
            )
    levels: NDArray[np.float32] = red.astype(np.float32) / np.float32(most)
    return np.clip(levels, 0.0, 1.0)


def of_palette(indices: NDArray[np.integer], dataset: Dataset) -> NDArray[np.float32]:
    """The same for PALETTE COLOR, of the look-up tables (0028,1201) to (0028,1203)."""
    if any(f"{name}PaletteColorLookupTableData" not in dataset for name in _PALETTES):
        raise UnsupportedInstance(
            "colour", "expected the palettes (0028,1201) to (0028,1203) of colours, got none"
        )
    channels = apply_color_lut(indices, dataset)
    return grey(channels, 8 * channels.itemsize)
