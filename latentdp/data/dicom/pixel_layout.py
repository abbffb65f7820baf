"""How the pixels of a data set are laid out, checked before anything is allocated for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType

from pydicom.dataset import Dataset
from pydicom.uid import UID

from latentdp.data.dicom.elements import integer, text
from latentdp.errors import UnsupportedInstance

__all__ = ["MIN_SIDE", "PixelLayout", "layout_of"]

MIN_SIDE = 64
# A header that lies must not make us allocate gigabytes. The largest detectors have some 5,000
# pixels on a side, the largest stitched images 20,000 by 5,000.
_MAX_SIDE = 20_000
_MAX_PIXELS = 100_000_000

# By their letters and digits alone, as dcmtk reads them: some write "MONOCHROME 2".
_GREY = MappingProxyType({"MONOCHROME1": "MONOCHROME1", "MONOCHROME2": "MONOCHROME2"})
_PALETTE = MappingProxyType({"PALETTECOLOR": "PALETTE COLOR"})
_COLOURS = MappingProxyType(
    {
        "RGB": "RGB",
        "YBRFULL": "YBR_FULL",
        "YBRFULL422": "YBR_FULL_422",
        "YBRRCT": "YBR_RCT",
        "YBRICT": "YBR_ICT",
    }
)


@dataclass(frozen=True, kw_only=True)
class PixelLayout:
    """Of one frame.

    Attributes:
        rows: At least `MIN_SIDE`.
        columns: Likewise.
        samples: Channels of a pixel, 1 or 3.
        photometric: Photometric Interpretation (0028,0004), spelt as PS3.3 does.
        bits: Bits Stored (0028,0101), 8 to 16, the lowest of 8 or 16 allocated.
        signed: Whether stored values are.
        syntax: Transfer Syntax (0002,0010).
    """

    rows: int
    columns: int
    samples: int
    photometric: str
    bits: int
    signed: bool
    syntax: UID

    @property
    def is_grey(self) -> bool:
        """Whether a stored value is a grey level, and no colour."""
        return self.photometric in _GREY


def layout_of(dataset: Dataset) -> PixelLayout:
    """What the header says of the pixels.

    Raises:
        UnsupportedInstance: "too-small", "too-large", "bits", "colour", "inverted" or "no-pixels".
    """
    rows, columns = integer(dataset, "Rows"), integer(dataset, "Columns")
    if rows is None or columns is None:
        raise UnsupportedInstance(
            "no-pixels", "expected Rows (0028,0010) and Columns (0028,0011), got none"
        )
    if min(rows, columns) < MIN_SIDE:
        raise UnsupportedInstance(
            "too-small",
            f"expected at least {MIN_SIDE} Rows (0028,0010) and Columns (0028,0011), "
            f"got {rows} by {columns}",
        )
    if max(rows, columns) > _MAX_SIDE or rows * columns > _MAX_PIXELS:
        raise UnsupportedInstance(
            "too-large",
            f"expected at most {_MAX_SIDE} Rows (0028,0010) and Columns (0028,0011) and "
            f"{_MAX_PIXELS} pixels in all, got {rows} by {columns}",
        )
    samples, photometric = _channels(dataset)
    bits, signed = _numbers(dataset)
    return PixelLayout(
        rows=rows,
        columns=columns,
        samples=samples,
        photometric=photometric,
        bits=bits,
        signed=signed,
        syntax=dataset.file_meta.TransferSyntaxUID,
    )


def _channels(dataset: Dataset) -> tuple[int, str]:
    stated = re.sub(r"[^A-Z0-9]", "", text(dataset, "PhotometricInterpretation"))
    samples = integer(dataset, "SamplesPerPixel") or 1
    known = (_GREY | _PALETTE if samples == 1 else _COLOURS if samples == 3 else {}).get(stated)
    if known is None:
        raise UnsupportedInstance(
            "colour",
            "expected Photometric Interpretation (0028,0004) MONOCHROME1 or MONOCHROME2 and one "
            "sample a pixel (0028,0002), or a capture in RGB, YBR or palette whose channels are "
            "equal, got another",
        )
    # PS3.3 C.11.6: the shape says once more which end of the values is white. Programs follow
    # one or the other, so that either way some show a negative.
    shape = text(dataset, "PresentationLUTShape")
    if (known, shape) in (("MONOCHROME1", "IDENTITY"), ("MONOCHROME2", "INVERSE")):
        raise UnsupportedInstance(
            "inverted",
            "expected Presentation LUT Shape (2050,0020) INVERSE with MONOCHROME1 and IDENTITY "
            "with MONOCHROME2 in Photometric Interpretation (0028,0004), got the opposite: which "
            "end is white is not known",
        )
    return samples, known


def _numbers(dataset: Dataset) -> tuple[int, bool]:
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
    return stored, representation == 1
