"""Random changes that leave a person the person: pose, exposure, blur and covered parts.

Chest X-rays are never mirrored: which side the heart is on is anatomy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

__all__ = ["Augmentation"]


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How far images are changed, drawn for each image on its own.

    Attributes:
        degrees: Largest rotation, each way.
        scale: Largest change of each side's scale, as a share.
        shift: Largest shift, as a share of the side.
        shear: Largest shear, as a share of the side.
        exposure: Largest change of brightness, of contrast (shares) and of log gamma.
        blur: Share of images that are blurred.
        noise: Largest standard deviation of added noise, in grey levels from 0 to 1.
        erase: Share of images of which a rectangle is covered.
    """

    degrees: float = 7.0
    scale: float = 0.1
    shift: float = 0.06
    shear: float = 0.05
    exposure: float = 0.25
    blur: float = 0.2
    noise: float = 0.03
    erase: float = 0.3

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Changes images ``(n, 1, h, w)`` in [0, 1]; the result may leave [0, 1] a little."""
        n, _, height, width = images.shape
        draw = _RandomNumbers(n, generator)
        moved = grid_sample(
            images,
            affine_grid(self._pose(draw), list(images.shape), align_corners=False).to(images),
            padding_mode="border",
            align_corners=False,
        )
        low = moved.amin((1, 2, 3), keepdim=True)
        span = (moved.amax((1, 2, 3), keepdim=True) - low).clamp(min=1e-3)
        gamma = draw.symmetric(self.exposure).exp()
        moved = low + span * ((moved - low) / span).clamp(0, 1).pow(gamma)
        moved = moved * (1 + draw.symmetric(self.exposure)) + draw.symmetric(self.exposure / 2)
        blurred = avg_pool2d(moved, 3, stride=1, padding=1, count_include_pad=False)
        moved = torch.where(draw.happens(self.blur), blurred, moved)
        deviation = self.noise * draw.uniform()
        moved = moved + deviation * torch.randn(moved.shape, generator=generator)
        return torch.where(self._covered(draw, height, width), moved.mean((2, 3), True), moved)

    def _pose(self, draw: _RandomNumbers) -> Tensor:
        angle = draw.symmetric(math.radians(self.degrees)).flatten()
        across, down = (1 + draw.symmetric(self.scale).flatten() for _ in range(2))
        shear, right, low = (
            draw.symmetric(most).flatten() for most in (self.shear, 2 * self.shift, 2 * self.shift)
        )
        cos, sin = angle.cos(), angle.sin()
        rows = [across * cos, shear - down * sin, right, across * sin, down * cos, low]
        return torch.stack(rows, dim=1).reshape(-1, 2, 3)

    def _covered(self, draw: _RandomNumbers, height: int, width: int) -> Tensor:
        sides = []
        for length, dim in ((height, 2), (width, 3)):
            size, start = 0.1 + 0.3 * draw.uniform(), draw.uniform()
            place = torch.linspace(0, 1, length).reshape([-1 if i == dim else 1 for i in range(4)])
            sides.append((place >= start * (1 - size)) & (place <= start * (1 - size) + size))
        return sides[0] & sides[1] & draw.happens(self.erase)


@dataclass(frozen=True)
class _RandomNumbers:
    n: int
    generator: torch.Generator

    def uniform(self) -> Tensor:
        """One number in [0, 1) per image, ``(n, 1, 1, 1)``."""
        return torch.rand(self.n, 1, 1, 1, generator=self.generator)

    def symmetric(self, most: float) -> Tensor:
        return most * (2 * self.uniform() - 1)

    def happens(self, share: float) -> Tensor:
        return self.uniform() < share
