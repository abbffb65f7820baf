"""Other pictures of the same radiographs, such as an attacker may hold instead of the originals.

Whoever looks for the source of a release seldom has the hospital's own file: a copy that went
through a messenger, a slide or a telephone is as good if the search survives the change. Each
rendition changes all images alike, as one device would; what is random in it follows a seed.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import affine_transform, gaussian_filter, map_coordinates
from skimage.transform import ProjectiveTransform

from latentdp.core.arrays import Images
from latentdp.privacy.noise import Noise, SeededNoise
from latentdp.privacy.postprocessing import jitter

__all__ = ["RENDITIONS", "renditions"]

QUALITY = 70  # of a JPEG, from 1 to 95
GAMMA = 1.3  # of another display, or of another export
CROPPED = 0.06  # share of the side that is cut off
DEGREES = 2.0  # by which a film lies askew
TILT = 0.05  # share of the side by which a photographer's corners are off
MOIRE = 0.03  # amplitude of the stripes of a photographed screen, in grey levels from 0 to 1
PERIOD = 5.3  # of these, in pixels
BLUR = 0.6  # standard deviation of a photograph's blur, in pixels of 64
AS_AT = 64  # side of the images that the blur is stated for

Rendition = Callable[[Images, Noise], Images]


def renditions(images: Images, seed: int) -> dict[str, Images]:
    """Each rendition of these images ``(n, h, w)`` in [0, 1], by name.

    Args:
        images: The originals.
        seed: Of everything random in them; the same seed gives the same pictures.
    """
    return {name: change(images, SeededNoise(seed)) for name, change in RENDITIONS.items()}


def jpeg(images: Images, noise: Noise) -> Images:
    """Compressed as a messenger does."""
    out = np.empty(images.shape, dtype=np.float32)
    for row, pixels in zip(out, np.rint(images * 255).astype(np.uint8), strict=True):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=QUALITY)
        row[:] = np.asarray(Image.open(file), dtype=np.float32) / 255
    return out


def gamma(images: Images, noise: Noise) -> Images:
    """Darker in the middle: the window or the display was another."""
    return np.asarray(images**GAMMA, dtype=np.float32)


def crop(images: Images, noise: Noise) -> Images:
    """A margin is cut off, at a place that is drawn, and the rest enlarged."""
    side = np.array(images.shape[1:])
    place = (jitter(noise, (2,)) + 0.5) * CROPPED * side
    return _moved(images, np.eye(2) * (1 - CROPPED), place)


def rotation(images: Images, noise: Noise) -> Images:
    """Turned about its middle, to a side that is drawn."""
    angle = math.radians(DEGREES) * (1 if jitter(noise, (1,))[0] > 0 else -1)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = (np.array(images.shape[1:]) - 1) / 2
    return _moved(images, turn, middle - turn @ middle)


def photograph(images: Images, noise: Noise) -> Images:
    """A screen through a telephone: seen askew, a little blurred, striped and too contrasty."""
    height, width = images.shape[1:]
    corners = np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) * [height - 1, width - 1]
    seen = corners + TILT * 2 * jitter(noise, (4, 2)) * [height, width]
    view = ProjectiveTransform.from_estimate(corners, seen)  # type: ignore[no-untyped-call]
    grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), axis=-1)
    places = view(grid.reshape(-1, 2)).T.reshape(2, height, width)
    phase = 2 * math.pi * jitter(noise, (1,))[0]
    stripes = MOIRE * np.sin(2 * math.pi * (grid.sum(axis=-1)) / PERIOD + phase)
    blur = BLUR * height / AS_AT
    out = np.empty(images.shape, dtype=np.float32)
    for row, image in zip(out, images, strict=True):
        row[:] = map_coordinates(gaussian_filter(image, blur), places, order=1, mode="nearest")
    return gamma(np.clip(out + stripes.astype(np.float32), 0, 1), noise)


RENDITIONS: Mapping[str, Rendition] = MappingProxyType(
    {
        f"JPEG {QUALITY}": jpeg,
        f"gamma {GAMMA:g}": gamma,
        "crop": crop,
        f"rotation {DEGREES:g} degrees": rotation,
        "photographed screen": photograph,
    }
)
"""What changes a stack ``(n, h, w)`` in [0, 1] into another of its shape, by name."""


def _moved(images: Images, matrix: NDArray[np.float64], offset: NDArray[np.float64]) -> Images:
    """Each image at other places: what lies at x comes from ``matrix`` x + ``offset``."""
    out = np.empty(images.shape, dtype=np.float32)
    for row, image in zip(out, images, strict=True):
        row[:] = affine_transform(image, matrix, offset, order=1, mode="nearest")
    return np.clip(out, 0, 1)
