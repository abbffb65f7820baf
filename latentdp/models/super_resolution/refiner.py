"""A refiner for inference: a private image drawn anew at four times its side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from latentdp.core.arrays import Images
from latentdp.models.device import computes_bfloat16, device, placed
from latentdp.models.super_resolution.enlarger import Drawn, Enlarger
from latentdp.models.super_resolution.refiner_net import RefinerNet
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.uniform import normal

__all__ = ["Refiner"]


@dataclass(frozen=True)
class Refiner(Enlarger):
    """What `RefinerNet` makes of images, of their noise, and in which precision.

    Sides of images are multiples of 4. One that would not be finite is the small one, enlarged in
    squares.

    Attributes:
        net: The network.
        exact: It computes in float32 even where bfloat16 is faster.
    """

    net: RefinerNet
    exact: bool = True

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

    def draw(self, noise: Noise, shape: tuple[int, ...]) -> Drawn:
        """Noise for small images ``(n, h, w)``: ``(n, 1, a, b)`` of each scale, coarsest first."""
        n, height, width = shape
        return tuple(
            normal(noise, (n, 1, *of_scale)) for of_scale in self.net.noise_shapes(height, width)
        )

    def decode(self, images: Images, noise: Drawn) -> Images:
        """As `enlarge`, of noise that was drawn; all go through the network together."""
        out = self.unbounded(images, noise)
        for i in np.flatnonzero(~np.isfinite(out).all(axis=(1, 2))):
            out[i] = images[i].repeat(4, axis=0).repeat(4, axis=1)
        np.clip(out, 0, 1, out=out)
        return out

    def unbounded(self, images: Images, noise: Drawn) -> Images:
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
