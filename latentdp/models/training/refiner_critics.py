"""What a refiner learns against: networks that tell its images from originals."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, leaky_relu, pad

__all__ = ["RefinerCritic"]

SLOPE = 0.2
GREY, FINE, COARSE = 2.0, 30.0, 8.0  # what an image and its bands of detail are multiplied by
NEAR, FAR = 3, 9  # pixels over which detail of the two bands averages to nothing


class RefinerCritic(nn.Module):
    """Log-odds ``(n, 1, a, b)`` that places of images ``(n, 1, h, w)`` are of originals.

    It is shown fine and coarse detail beside the image, as loud as the image itself: of grey
    levels alone it takes very long to learn that texture is missing, and 16 bits do not hold it.

    Args:
        widths: Channels after each halving.
        whole: Whether it also sees how much the images of a batch differ, which tells it when
            all look alike (Karras et al. 2018, arXiv 1710.10196, section 3).
    """

    def __init__(self, widths: Sequence[int], *, whole: bool) -> None:
        super().__init__()
        self.whole = whole
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1)
            for a, b in zip((3, *widths[:-1]), widths, strict=True)
        )
        self.middle = nn.Conv2d(widths[-1] + whole, widths[-1], 3, padding=1)
        self.last = nn.Conv2d(widths[-1], 1, 1)
        for layer in (*self.down, self.middle, self.last):
            nn.init.kaiming_normal_(layer.weight, SLOPE)
            nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Of images in [-0.5, 0.5]."""
        near = _mean(images, NEAR)
        x = torch.cat(
            [GREY * images, FINE * (images - near), COARSE * (near - _mean(near, FAR))], dim=1
        )
        for layer in self.down:
            x = leaky_relu(layer(x), SLOPE)
        if self.whole:
            spread = x.std(dim=0, unbiased=False).mean()
            x = torch.cat([x, spread.expand(len(x), 1, *x.shape[2:])], dim=1)
        odds: Tensor = self.last(leaky_relu(self.middle(x), SLOPE))
        return odds.float()


def _mean(images: Tensor, pixels: int) -> Tensor:
    edge = pixels // 2
    return avg_pool2d(pad(images, (edge,) * 4, mode="replicate"), pixels, stride=1)
