"""Gaussian blur: no randomness and no guarantee."""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import gaussian_filter

from latentdp.core.arrays import UNKNOWN, Images, Labels
from latentdp.errors import InputError
from latentdp.evaluation.methods._weights import Weights
from latentdp.evaluation.methods.base import Method
from latentdp.privacy.noise import Noise

__all__ = ["Blur", "examples_for"]


class Blur(Method):
    """Each pixel becomes a normal-weighted mean of its neighbourhood.

    Args:
        deviation: Standard deviation of the weights in pixels.

    Raises:
        InputError: It is not positive.
    """

    def __init__(self, deviation: float) -> None:
        if not (math.isfinite(deviation) and deviation > 0):
            raise InputError(f"expected a positive deviation in pixels, got {deviation}")
        self.deviation = deviation
        self.name = f"blur-{deviation:g}"
        self.title = f"Gaussian blur of {deviation:g} pixels"

    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """Blurred images; no label."""
        sigma = (0, self.deviation, self.deviation)
        blurred = gaussian_filter(images.astype(np.float64), sigma, mode="nearest")
        return np.clip(blurred, 0, 1).astype(np.float32), np.full_like(labels, UNKNOWN)


def examples_for(weights: Weights) -> tuple[Method, ...]:
    """As strong as leaves an outline of the chest at 64 pixels."""
    return (Blur(5.0),)
