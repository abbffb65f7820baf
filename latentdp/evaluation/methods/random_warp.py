"""A random smooth warp: what a deformation gives when it is not adversarial.

An independent re-run of PriCheXy-Net found that a random warp of the same strength hides nothing
from an attacker who is retrained. It has no guarantee: a pixel's grey levels stay as they were.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from latentdp.core.arrays import UNKNOWN, Images, Labels
from latentdp.errors import InputError
from latentdp.evaluation.methods._weights import Weights
from latentdp.evaluation.methods.base import Method
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.uniform import normal

__all__ = ["RandomWarp", "examples_for"]

AS_AT = 64  # side of the images that displacements are stated for
SMOOTHNESS = 1 / 8  # standard deviation of the smoothing, as a share of the side


class RandomWarp(Method):
    """Moves every pixel along a smoothed field of normal noise.

    Args:
        displacement: Root mean square of it, in pixels of an image of 64 pixels.

    Raises:
        InputError: It is not positive.
    """

    def __init__(self, displacement: float) -> None:
        if not (math.isfinite(displacement) and displacement > 0):
            raise InputError(f"expected a positive displacement in pixels, got {displacement}")
        self.displacement = displacement
        self.name = f"random-warp-{displacement:g}"
        self.title = f"random smooth warp of {displacement:g} of {AS_AT} pixels"

    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """Warped images; no label. The field wraps around, so that it is as strong everywhere."""
        n, height, width = images.shape
        fields = normal(noise, (n, 2, height, width))
        fields = gaussian_filter(
            fields, (0, 0, SMOOTHNESS * height, SMOOTHNESS * width), mode="wrap"
        )
        length = np.sqrt((fields**2).sum(axis=1).mean(axis=(1, 2)))[:, None, None, None]
        fields *= self.displacement * height / AS_AT / length
        grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"))
        warped = np.empty(images.shape, dtype=np.float32)
        for image, field, out in zip(images, fields, warped, strict=True):
            out[:] = map_coordinates(image, grid + field, order=1, mode="nearest")
        return np.clip(warped, 0, 1), np.full_like(labels, UNKNOWN)


def examples_for(weights: Weights) -> tuple[Method, ...]:
    """Far stronger than any learnt deformation."""
    return (RandomWarp(5.0),)
