"""From grey levels of any size to the images that networks take."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentdp.core.arrays import Images

__all__ = ["resize", "shrink", "unit"]


def resize(image: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Resizes one ``(h, w)`` image in [0, 1] to ``shape``, stretching its aspect.

    Reduction goes through twice the target size first. All images, whether they come at 4,000
    pixels or at 128, then have about the same sharpness, which keeps a flow trained on one
    source from telling it from another by blur alone.
    """
    picture = Image.fromarray(np.ascontiguousarray(image, dtype=np.float32), mode=None)
    height, width = shape
    middle = (2 * width, 2 * height)
    if picture.width > middle[0] and picture.height > middle[1]:
        picture = picture.resize(middle, Image.Resampling.HAMMING, reducing_gap=3.0)
    if picture.size != (width, height):
        shrinks = picture.width > width or picture.height > height
        kernel = Image.Resampling.HAMMING if shrinks else Image.Resampling.BICUBIC
        picture = picture.resize((width, height), kernel)
    return np.clip(np.asarray(picture, dtype=np.float32), 0.0, 1.0)


def unit(pixels: NDArray[np.uint8]) -> Images:
    """8-bit pixels as grey levels in [0, 1]."""
    return pixels.astype(np.float32) / np.float32(255)


def shrink(images: Images, side: int) -> Images:
    """A stack ``(n, h, w)`` at no more than ``side`` pixels a side; smaller ones stay as is."""
    shape = (min(side, images.shape[1]), min(side, images.shape[2]))
    if images.shape[1:] == shape:
        return images
    return np.stack([resize(image, shape) for image in images])
