"""What every step of a cascade does: noise is drawn, and images are decoded with it, in parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.models.super_resolution.equalizer import Equalizer
from latentdp.privacy.noise import Noise

__all__ = ["PIXELS", "Drawn", "Enlarger"]

PIXELS = 4 * 256 * 256  # of the larger images that go through a network together

Drawn = tuple[NDArray[np.float64], ...]


@dataclass(frozen=True, kw_only=True)
class Enlarger(ABC):
    """A network that makes larger images of small ones and noise.

    Attributes:
        equalizer: What an image goes through that is enlarged to this size and no further.
    """

    equalizer: Equalizer | None = None

    @property
    @abstractmethod
    def side(self) -> int:
        """Side in pixels of the small images that it was trained on."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Side in pixels of what it makes of them."""

    @abstractmethod
    def draw(self, noise: Noise, shape: tuple[int, ...]) -> Drawn:
        """What small images ``(n, h, w)`` are decoded with; the first axis of each is n."""

    @abstractmethod
    def decode(self, images: Images, drawn: Drawn, /) -> Images:
        """As `enlarge`, with what was drawn; all go through the network together."""

    def enlarge(self, images: Images, noise: Noise) -> Images:
        """Images in [0, 1], as many times larger as `size` is than `side`.

        Args:
            images: ``(n, h, w)`` in [0, 1], of sides that the network can take.
            noise: Where the random bits come from.
        """
        (n, height, width), factor = images.shape, self.size // self.side
        out = np.empty((n, factor * height, factor * width), dtype=np.float32)
        at_once = max(1, PIXELS // (factor**2 * height * width))
        for start in range(0, n, at_once):
            part = images[start : start + at_once]
            out[start : start + at_once] = self.decode(part, self.draw(noise, part.shape))
        return out
