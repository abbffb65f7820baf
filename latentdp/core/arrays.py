"""The arrays that cross module boundaries, and their checks.

Images are ``(n, height, width)`` float32 in [0, 1] (0 is black: little exposure, air is dark).
Latents are ``(n, d)`` float64, whitened: under a perfect flow each is N(0, I).
Labels are ``(n,)`` int64 class indices; ``UNKNOWN`` (-1) stands for "no label".
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentdp.errors import InputError

__all__ = [
    "UNKNOWN",
    "Images",
    "Labels",
    "Latents",
    "as_images",
    "check_images",
    "check_labels",
    "check_latents",
    "evenly",
]

Images: TypeAlias = NDArray[np.float32]
Latents: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

UNKNOWN = -1


def as_images(images: ArrayLike) -> Images:
    """Returns ``images`` as float32 ``(n, h, w)`` in [0, 1], or raises `InputError`.

    The message says what to do with what a user often has instead: other shapes, 0 to 255.
    """
    array = np.asarray(images)
    if array.ndim != 3:
        raise InputError(
            f"expected images of shape (n, height, width), got shape {array.shape}{_axes(array)}"
        )
    if array.dtype == np.uint8:
        raise InputError(
            "expected images as floats in [0, 1], got uint8; divide by 255: "
            "images.astype('float32') / 255"
        )
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(
            f"expected images as floats in [0, 1], got {array.dtype}; divide by the largest value "
            "that it can hold (255 for 8 bits, 65535 for 16)"
        )
    if array.size and not np.isfinite(array).all():
        raise InputError("expected image values in [0, 1], got some that are not finite")
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        top = 255 if array.min() >= 0 and array.max() <= 255 else 0
        advice = f"; divide by {top}" if top else "; 0 is black and 1 is white"
        raise InputError(f"expected image values in [0, 1], got values outside{advice}")
    return np.ascontiguousarray(array, dtype=np.float32)


def check_images(images: ArrayLike, shape: tuple[int, int]) -> Images:
    """Returns ``images`` as float32 ``(n, *shape)`` in [0, 1], or raises `InputError`."""
    array = as_images(images)
    if array.shape[1:] != shape:
        raise InputError(
            f"expected images of shape (n, {shape[0]}, {shape[1]}), got shape {array.shape}; "
            f"resize with latentdp.resize_images(images, {shape[0]})"
        )
    return array


def _axes(array: NDArray[np.generic]) -> str:
    """What to do about too few or too many axes."""
    if array.ndim == 2:
        return "; of one image take image[None]"
    if array.ndim == 4 and 1 in (array.shape[1], array.shape[-1]):
        return f"; take images[{':, 0' if array.shape[1] == 1 else '..., 0'}]"
    if array.ndim == 4:
        return "; colour is not taken: take one channel"
    return ""


def check_latents(latents: ArrayLike, d: int) -> Latents:
    """Returns ``latents`` as float64 ``(n, d)``, or raises `InputError`. NaN is not looked for."""
    array = np.asarray(latents, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != d:
        raise InputError(f"expected latents of shape (n, {d}), got shape {array.shape}")
    return np.ascontiguousarray(array)


def check_labels(labels: ArrayLike | None, n: int, classes: int) -> Labels:
    """Returns ``labels`` as int64 ``(n,)`` in [-1, classes); None means all unknown."""
    if labels is None:
        return np.full(n, UNKNOWN, dtype=np.int64)
    array = np.asarray(labels)
    if array.shape != (n,) or not np.issubdtype(array.dtype, np.integer):
        raise InputError(
            f"expected {n} labels as integers, got {array.dtype} of shape {array.shape}"
        )
    if array.size and (array.min() < UNKNOWN or array.max() >= classes):
        raise InputError(
            f"expected labels in 0..{classes - 1} or {UNKNOWN} (unknown), got one outside"
        )
    return array.astype(np.int64)


def evenly(n: int, most: int) -> NDArray[np.int64]:
    """Indices of at most ``most`` of n things, at even distances from the first to the last."""
    return np.unique(np.linspace(0, n - 1, min(most, n)).astype(np.int64))
