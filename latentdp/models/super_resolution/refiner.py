"""A refiner for inference: a private image drawn anew at four times its side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.models.device import computes_bfloat16, device, placed
from latentdp.models.super_resolution.equalizer import Equalizer
from latentdp.models.super_resolution.refiner_net import RefinerNet
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.uniform import normal

__all__ = ["Refiner"]

PIXELS = 4 * 256 * 256  # of the larger images that go through a network together


@dataclass(frozen=True)
class Refiner:
    """What `RefinerNet` makes of images, of their noise, and in which precision.

    Attributes:
        net: The network.
        exact: It computes in float32 even where bfloat16 is faster.
        equalizer: What an image goes through that is enlarged to this size and no further.
    """

    net: RefinerNet
    exact: bool = True
    equalizer: Equalizer | None = None

    def __post_init__(self) -> None:
        placed(self.net).eval().requires_grad_(False)

    @property
    def side(self) -> int:
        """Side in pixels of the small images that it was trained on."""
        return self.net.config.side

    @property
    def size(self) -> int:
        """Side in pixels of what it makes of them."""
        return self.net.config.size

    @cached_property
    def _low(self) -> bool:
        return computes_bfloat16() and not self.exact

    def enlarge(self, images: Images, noise: Noise) -> Images:
        """Images ``(n, 4h, 4w)`` in [0, 1] of small ones ``(n, h, w)``, multiples of 4 pixels.

        An image that would not be finite is the small one, enlarged in squares.
        """
        n, height, width = images.shape
        out = np.empty((n, 4 * height, 4 * width), dtype=np.float32)
        at_once = max(1, PIXELS // (16 * height * width))
        for start in range(0, n, at_once):
            part = images[start : start + at_once]
            out[start : start + at_once] = self.decode(part, self.draw(noise, part.shape))
        return out

    def draw(self, noise: Noise, shape: tuple[int, ...]) -> tuple[NDArray[np.float64], ...]:
        """Noise for small images ``(n, h, w)``: ``(n, 1, a, b)`` of each scale, coarsest first."""
        n, height, width = shape
        return tuple(
            normal(noise, (n, 1, *of_scale)) for of_scale in self.net.noise_shapes(height, width)
        )

    def decode(self, images: Images, noise: tuple[NDArray[np.float64], ...]) -> Images:
        """As `enlarge`, of noise that was drawn; all go through the network together."""
        out = self.unbounded(images, noise)
        for i in np.flatnonzero(~np.isfinite(out).all(axis=(1, 2))):
            out[i] = images[i].repeat(4, axis=0).repeat(4, axis=1)
        np.clip(out, 0, 1, out=out)
        return out

    def unbounded(self, images: Images, noise: tuple[NDArray[np.float64], ...]) -> Images:
        """What the network says, as it is: perhaps beyond [0, 1], or not finite."""
        place = device()
        levels = torch.from_numpy(images - np.float32(0.5))[:, None].to(place)
        drawn = [torch.from_numpy(z.astype(np.float32)).to(place) for z in noise]
        with (
            torch.inference_mode(),
            torch.autocast(place.type, dtype=torch.bfloat16, enabled=self._low),
        ):
            made = self.net(levels.contiguous(memory_format=torch.channels_last), drawn)
        grey: Images = made.float()[:, 0].cpu().numpy() + np.float32(0.5)
        return grey
