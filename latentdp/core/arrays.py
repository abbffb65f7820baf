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
    "check_images",
    "check_labels",
    "check_latents",
    "evenly",
]

Images: TypeAlias = NDArray[np.float32]
Latents: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

UNKNOWN = -1


def check_images(images: ArrayLike, shape: tuple[int, int]) -> Images:
    """Returns ``images`` as float32 ``(n, *shape)`` in [0, 1], or raises `InputError`."""
    array = np.asarray(images)
    if not (
        np.issubdtype(array.dtype, np.floating) and array.ndim == 3 and array.shape[1:] == shape
    ):
        raise InputError(
            f"expected images as floats of shape (n, {shape[0]}, {shape[1]}), "
            f"got {array.dtype} of shape {array.shape}"
        )
    if array.size and not (np.isfinite(array).all() and array.min() >= 0 and array.max() <= 1):
        raise InputError("expected image values in [0, 1], got values outside or not finite")
    return np.ascontiguousarray(array, dtype=np.float32)


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
