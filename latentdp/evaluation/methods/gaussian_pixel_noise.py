"""Gaussian noise on every pixel: the first thing that anybody tries.

Two images in [0, 1]^D are up to sqrt(D) apart, so it is the Gaussian mechanism on a latent that is
the image itself (`latentdp.privacy.mechanisms.gaussian`), whose clip never bites, with an epsilon
that is too large to mean anything.
"""

from __future__ import annotations

import numpy as np

from latentdp.core.arrays import UNKNOWN, Images, Labels, check_images
from latentdp.errors import InputError
from latentdp.evaluation.methods._weights import Weights, lazily
from latentdp.evaluation.methods.base import Method
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.mechanisms.gaussian import Gaussian
from latentdp.privacy.noise import Noise

__all__ = ["GaussianPixelNoise", "examples_for"]

CELLS = 1024  # of the noise's grid, from black to white
LEVELS = 255


class GaussianPixelNoise(Method):
    """Independent normal noise, and a clip to the range of an image.

    Args:
        size: Side of the images in pixels.
        deviation: Standard deviation of the noise, of 255 grey levels.

    Raises:
        InputError: A deviation outside of what can be drawn exactly.
    """

    def __init__(self, size: int, deviation: float) -> None:
        if not 1 <= deviation <= 4096:
            raise InputError(f"expected a deviation from 1 to 4096 grey levels, got {deviation}")
        self.size, self.deviation = size, deviation
        self.name = f"gaussian-pixel-noise-{deviation:g}"
        self.title = f"normal noise of {deviation:g} grey levels of 255 on each pixel"
        # Around the middle grey no image is longer than size / 2.
        self.mechanism = Gaussian(
            dimensions=size * size,
            clip=size / 2,
            steps=CELLS * size // 2,
            scale=deviation / LEVELS * CELLS,
        )

    @property
    def guarantee(self) -> Guarantee | None:
        """(epsilon, delta) of the whole image, exactly as drawn."""
        return self.mechanism.guarantee

    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """Noisy images; no label."""
        checked = check_images(images, (self.size, self.size))
        centred = checked.reshape(len(checked), self.size**2).astype(np.float64) - 0.5
        noisy = self.mechanism.perturb(centred, noise) / CELLS + 0.5
        private = np.clip(noisy, 0, 1).astype(np.float32).reshape(checked.shape)
        return private, np.full_like(labels, UNKNOWN)


def examples_for(weights: Weights) -> tuple[Method, ...]:
    """Noise in which a person sees hardly anything."""
    return (GaussianPixelNoise(lazily(weights).flow.shape[0], 100.0),)
