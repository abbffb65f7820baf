"""PNG, JPEG and TIFF pictures of radiographs, for researchers; and 8-bit PNG, as they come out."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops
from PIL.PngImagePlugin import PngInfo

from latentdp.data.grey_levels import is_grey
from latentdp.data.silence import silence
from latentdp.errors import UnsupportedInstance

__all__ = ["SUFFIXES", "encode_picture", "is_picture", "look", "read_picture", "texts"]

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff"})
FORMATS = ("PNG", "JPEG", "TIFF")  # for others Pillow runs other programs, such as Ghostscript
MINIMUM = 64
MOST_PIXELS = 89_478_485  # above it Pillow only warns, and above twice as many it refuses


def is_picture(path: Path) -> bool:
    """Whether the name says so; anything else is read as DICOM, whatever it is called."""
    return path.suffix.lower() in SUFFIXES


def read_picture(source: Path | bytes) -> NDArray[np.float32]:
    """The grey values ``(h, w)`` of one radiograph, scaled by its bit depth to [0, 1].

    Args:
        source: A file, or the bytes of one.

    Raises:
        UnsupportedInstance: Unreadable, more than one page, colour, hardly any grey, too small, or
            of more than 89,478,485 pixels (what Pillow warns of).
    """
    image = look(source)
    if min(image.shape) < MINIMUM:
        raise UnsupportedInstance("too-small", f"expected at least {MINIMUM} pixels a side")
    _check_grey(image)
    return image


def look(source: Path | bytes) -> NDArray[np.float32]:
    """The same of any picture, however small or dark.

    Raises:
        UnsupportedInstance: Unreadable, more than one page, colour, or too large.
    """
    try:
        file = source if isinstance(source, Path) else BytesIO(source)
        with silence(), Image.open(file, formats=FORMATS) as picture:
            _check_size(picture)
            return _grey(picture)
    except UnsupportedInstance:
        raise
    except Image.DecompressionBombError:
        raise _too_large() from None
    # On damaged bytes the decoders raise nearly anything, and one file must not end a batch.
    except Exception:  # noqa: BLE001
        raise UnsupportedInstance("unreadable", "not a picture that can be decoded") from None


def encode_picture(image: NDArray[np.float32], texts: Mapping[str, str]) -> bytes:
    """``(h, w)`` values in [0, 1] as an 8-bit grey PNG with texts by their keywords."""
    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    chunks, file = PngInfo(), BytesIO()
    for keyword, text in texts.items():
        chunks.add_text(keyword, text)
    Image.fromarray(pixels).save(file, format="PNG", pnginfo=chunks)
    return file.getvalue()


def texts(path: Path) -> list[tuple[str, str]]:
    """What a picture says besides its pixels: each text, and whatever else its format holds.

    Raises:
        UnsupportedInstance: Unreadable.
    """
    try:
        with Image.open(path) as picture:
            return [(f"{picture.format} {key}", str(value)) for key, value in picture.info.items()]
    except Exception:  # noqa: BLE001 (as in `read_picture`)
        raise UnsupportedInstance("unreadable", "not a picture that can be decoded") from None


def _too_large() -> UnsupportedInstance:
    return UnsupportedInstance("too-large", "more pixels than a radiograph has")


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise _too_large()


def _check_grey(image: NDArray[np.float32]) -> None:
    """Refuses what would come out black, white or of one shade, as for DICOM."""
    counts = np.bincount(np.rint(image * 255).astype(np.uint8).ravel(), minlength=256)
    if not is_grey(np.arange(256) / 255, counts):
        raise UnsupportedInstance(
            "blank",
            "expected grey levels between black and white, got hardly any; if the picture holds "
            "fewer bits than its format (12 in 16), scale it to all of them",
        )


def _grey(picture: Image.Image) -> NDArray[np.float32]:
    if getattr(picture, "n_frames", 1) > 1:
        raise UnsupportedInstance("multi-frame", "expected one page, got several")
    if picture.mode in ("L", "1"):
        return np.asarray(picture.convert("L"), dtype=np.float32) / np.float32(255)
    if picture.mode.startswith("I;16"):
        return np.asarray(picture, dtype=np.float32) / np.float32(65535)
    if picture.mode == "I":  # 16-bit PNG in some versions of Pillow
        return np.clip(np.asarray(picture, dtype=np.float32) / 65535, 0, 1)
    if picture.mode in ("RGB", "RGBA", "LA", "P", "PA"):
        red, *others = picture.convert("RGB").split()
        # JPEG's colour conversion moves grey by a level or two.
        if any(np.asarray(ImageChops.difference(red, other)).max() > 3 for other in others):
            raise UnsupportedInstance("colour", "expected a grey picture, got colour")
        return np.asarray(red, dtype=np.float32) / np.float32(255)
    raise UnsupportedInstance("colour", "expected 8- or 16-bit grey, got another pixel format")
