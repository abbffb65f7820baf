"""From grey levels of any size to the images that networks take."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from latentdp.core.arrays import Images, as_images
from latentdp.errors import InputError

__all__ = ["resize", "resize_images", "shrink", "unit"]


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


def resize_images(images: ArrayLike, size: int | tuple[int, int]) -> Images:
    """Images in memory at another size, as a release resizes what it reads.

        >>> import numpy as np, latentdp
        >>> latentdp.resize_images(np.full((2, 300, 256), 0.5), 64).shape
        (2, 64, 64)

    Args:
        images: ``(n, height, width)`` floats in [0, 1].
        size: Pixels on a side, or height and width. What has another aspect is stretched.

    Raises:
        InputError: No such images, or a size below 1.
    """
    shape = (size, size) if isinstance(size, int) else size
    if min(shape) < 1:
        raise InputError(f"expected a size of at least 1 pixel, got {size}")
    checked = as_images(images)
    resized = [resize(image, shape) for image in checked]
    return np.stack(resized) if resized else np.empty((0, *shape), dtype=np.float32)


def unit(pixels: NDArray[np.uint8]) -> Images:
    """8-bit pixels as grey levels in [0, 1]."""
    return pixels.astype(np.float32) / np.float32(255)


def shrink(images: Images, side: int) -> Images:
    """A stack ``(n, h, w)`` at no more than ``side`` pixels a side; smaller ones stay as is."""
    shape = (min(side, images.shape[1]), min(side, images.shape[2]))
    if images.shape[1:] == shape:
        return images
    return np.stack([resize(image, shape) for image in images])
