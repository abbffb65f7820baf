"""Radial power spectra: how much contrast images have at each coarseness of detail."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images

__all__ = ["BANDS", "bands", "octaves", "power"]

BANDS = 32  # of equal width, from the coarsest detail to the finest


def power(images: Images) -> NDArray[np.float64]:
    """Mean power ``(side // 2,)`` at 1, 2, ... cycles a side, over directions and images.

    Args:
        images: ``(n, side, side)`` in [0, 1]. Each loses its mean and fades out towards its edges
            (a Hann window), whose contrast would otherwise stand for detail of all sizes.
    """
    side = images.shape[1]
    window = np.hanning(side)
    fading = np.outer(window, window) / np.square(window).mean()
    frequency = np.fft.fftfreq(side) * side
    radius = np.rint(np.hypot(frequency[:, None], frequency[None, :])).astype(np.int64)
    inside = (radius >= 1) & (radius <= side // 2)
    total = np.zeros(side // 2)
    for image in images:
        x = image.astype(np.float64)
        spectrum = np.square(np.abs(np.fft.fft2((x - x.mean()) * fading))) / x.size
        total += np.bincount(radius[inside] - 1, spectrum[inside], minlength=side // 2)
    return np.asarray(total / np.bincount(radius[inside] - 1) / max(1, len(images)))


def octaves(images: Images) -> NDArray[np.float64]:
    """Decibels of power in each octave, coarsest first; the last one is the finest detail.

    A detail half as large has twice the frequency: the last octave is what a picture of half the
    size does not have.
    """
    powers = power(images)
    ends = [len(powers) // 2**k for k in range(len(powers).bit_length() - 1, -1, -1)]
    bands = [powers[a:b].mean() for a, b in pairwise(ends)]
    return 10 * np.log10(np.maximum(bands, 1e-20))


def bands(image: NDArray[np.floating]) -> NDArray[np.float64]:
    """Decibels of power of one image in each of `BANDS`, coarsest detail first.

    Args:
        image: ``(h, w)`` in [0, 1]; of one that is not square the middle is taken.
    """
    side = min(image.shape)
    top, left = ((length - side) // 2 for length in image.shape)
    square = image[top : top + side, left : left + side]
    powers = power(np.asarray(square, dtype=np.float32)[None])
    parts = np.array_split(powers, min(BANDS, len(powers)))
    return 10 * np.log10(np.maximum([part.mean() for part in parts], 1e-20))
