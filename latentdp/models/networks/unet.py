"""A U-Net (Ronneberger et al. 2015, arXiv 1505.04597): an image in, maps of the same size out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["UNet"]


class UNet(nn.Module):
    """Images ``(n, 1, h, w)`` to ``(n, outputs, h, w)``; h and w are multiples of 2 ** levels.

    Args:
        outputs: Maps that come out; no last nonlinearity.
        features: Channels of the first level; each level has twice as many.
        levels: How often the image is halved.
        still: Whether the last layer starts at zero, so that the maps do.
    """

    def __init__(self, outputs: int, *, features: int, levels: int, still: bool = False) -> None:
        super().__init__()
        widths = [features * 2**i for i in range(levels + 1)]
        self.down = nn.ModuleList(
            _twice(before, width) for before, width in zip([1, *widths[:-1]], widths, strict=True)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in widths[-2::-1]
        )
        self.merge = nn.ModuleList(_twice(2 * width, width) for width in widths[-2::-1])
        self.last = nn.Conv2d(features, outputs, 1)
        if still:
            nn.init.zeros_(self.last.weight)
            assert self.last.bias is not None
            nn.init.zeros_(self.last.bias)

    def forward(self, images: Tensor) -> Tensor:
        """One pass."""
        kept = []
        x = self.down[0](images)
        for block in list(self.down)[1:]:
            kept.append(x)
            x = block(nn.functional.max_pool2d(x, 2))
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(torch.cat([up(x), kept.pop()], dim=1))
        out: Tensor = self.last(x)
        return out


def _twice(before: int, width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (before, width):
        layers += [
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
    return nn.Sequential(*layers)
