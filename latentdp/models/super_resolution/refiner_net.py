"""A network that draws a small image anew at four times its side: a U-Net with noise in blocks.

It looks at the whole of the small image, down to a quarter of its side, so that a rib or the edge
of a heart is drawn as one, and enlarges by sub-pixel convolutions (Shi et al. 2016, arXiv
1609.05158). Noise of each scale is added inside its blocks, as in Karras et al. 2019 (arXiv
1812.04948, section 3.2), so that texture is drawn and not averaged. What comes out depends on the
small image and the noise alone: of a private image it is post-processing and costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu_, linear

from latentdp.errors import InputError

__all__ = ["FACTOR", "RefinerConfig", "RefinerNet"]

MOST_BLOCKS = 64  # of a scale
FACTOR = 4  # by which a side grows
SLOPE = 0.2  # of negative inputs of an activation
LOUD = 4.0  # what grey levels from -0.5 to 0.5 are multiplied by


@dataclass(frozen=True, kw_only=True)
class RefinerConfig:
    """Everything that determines the shape of the network.

    Attributes:
        side: Of the small images, in pixels; a multiple of 4.
        widths: Channels at the small image's side, its half and its quarter.
        down: Blocks there on the way down.
        up: Blocks at its half and at its side on the way up.
        fine_widths: Channels at two and at four times its side.
        fine: Blocks there.

    Raises:
        InputError: No shape of a network.
    """

    side: int = 64
    widths: tuple[int, ...] = (32, 64, 96)
    down: tuple[int, ...] = (2, 2, 4)
    up: tuple[int, ...] = (2, 3)
    fine_widths: tuple[int, ...] = (20, 12)
    fine: tuple[int, ...] = (2, 1)

    def __post_init__(self) -> None:
        if self.side < 8 or self.side > 1024 or self.side % 4:
            raise InputError(f"expected a side of 8 to 1024, a multiple of 4, got {self.side}")
        numbers = (*self.widths, *self.down, *self.up, *self.fine_widths, *self.fine)
        lengths = tuple(map(len, (self.widths, self.down, self.up, self.fine_widths, self.fine)))
        blocks = (*self.down, *self.up, *self.fine)
        if lengths != (3, 3, 2, 2, 2) or not all(1 <= n <= 1024 for n in numbers):
            raise InputError("expected 3, 3, 2, 2 and 2 widths and blocks, each from 1 to 1024")
        if max(blocks) > MOST_BLOCKS:
            raise InputError(f"expected at most {MOST_BLOCKS} blocks, got {max(blocks)}")

    @property
    def size(self) -> int:
        """Side in pixels of what comes out."""
        return FACTOR * self.side

    def to_json(self) -> str:
        """One line, for the metadata of a weights file."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> RefinerConfig:
        """The inverse of `to_json`."""
        found = json.loads(text)
        side = int(found.pop("side"))
        return cls(side=side, **{key: tuple(map(int, numbers)) for key, numbers in found.items()})


class _TexturedBlock(nn.Module):
    """A residual block whose hidden layer is moved by noise, as strongly as it has learnt."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.strength = nn.Parameter(torch.full((channels, 1, 1), 0.1))
        _to_zero(self.second)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        # A product of matrices is laid out as convolutions are, channels last.
        by_channel = linear(noise.permute(0, 2, 3, 1), self.strength.flatten(1)).permute(
            0, 3, 1, 2
        )
        hidden = leaky_relu_(self.first(x).add_(by_channel), SLOPE)
        moved: Tensor = self.second(hidden)
        return moved.add_(x)


class _Stage(nn.Module):
    """Blocks of one scale."""

    def __init__(self, blocks: int, channels: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_TexturedBlock(channels) for _ in range(blocks))

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, noise)
        return x


class _ToTwice(nn.Conv2d):
    """A convolution of whose outputs four each are a square of pixels, as in `pixel_shuffle`."""

    def forward(self, x: Tensor) -> Tensor:
        assert self.bias is not None
        # Row, column, channel: pixels then move in whole runs, channels last, five times as fast.
        order = torch.arange(self.out_channels).reshape(-1, 4).T.flatten()
        made: Tensor = self._conv_forward(x, self.weight[order], self.bias[order])
        n, channels, height, width = made.shape
        rows = made.permute(0, 2, 3, 1).reshape(n, height, width, 2, channels // 2).transpose(2, 3)
        return rows.reshape(n, 2 * height, 2 * width, channels // 4).permute(0, 3, 1, 2)


class RefinerNet(nn.Module):
    """Small images ``(n, 1, h, w)`` in [-0.5, 0.5] and noise to images ``(n, 1, 4 h, 4 w)``."""

    def __init__(self, config: RefinerConfig) -> None:
        super().__init__()
        self.config = config
        full, half, quarter = config.widths
        double, fourfold = config.fine_widths
        of_full, of_half, of_quarter = config.down
        again_half, again_full = config.up
        self.first = nn.Conv2d(1, full, 3, padding=1)
        self.down_full = _Stage(of_full, full)
        self.to_half = nn.Conv2d(full, half, 4, stride=2, padding=1)
        self.down_half = _Stage(of_half, half)
        self.to_quarter = nn.Conv2d(half, quarter, 4, stride=2, padding=1)
        self.down_quarter = _Stage(of_quarter, quarter)
        self.from_quarter = _ToTwice(quarter, 4 * half, 1)
        self.up_half = _Stage(again_half, half)
        self.from_half = _ToTwice(half, 4 * full, 1)
        self.up_full = _Stage(again_full, full)
        self.to_double = _ToTwice(full, 4 * double, 3, padding=1)
        self.fine_double = _Stage(config.fine[0], double)
        self.to_fourfold = _ToTwice(double, 4 * fourfold, 3, padding=1)
        self.fine_fourfold = _Stage(config.fine[1], fourfold)
        self.last = nn.Conv2d(fourfold, 1, 3, padding=1)
        _to_zero(self.last)  # it begins as smooth enlarging

    @staticmethod
    def noise_shapes(height: int, width: int) -> tuple[tuple[int, int], ...]:
        """Of the noise for a small image, coarsest first."""
        return tuple((height * k // 4, width * k // 4) for k in (1, 2, 4, 8, 16))

    def forward(self, images: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """One pass.

        Args:
            images: ``(n, 1, h, w)``; h and w are multiples of 4.
            noise: Five maps ``(n, 1, a, b)`` of standard normal numbers, of the sizes of
                `noise_shapes`.
        """
        coarsest, coarse, usual, double, fourfold = noise
        full = self.down_full(self.first(LOUD * images), usual)
        half = self.down_half(self.to_half(full), coarse)
        quarter = self.down_quarter(self.to_quarter(half), coarsest)
        half = self.up_half(half + self.from_quarter(quarter), coarse)
        full = self.up_full(full + self.from_half(half), usual)
        x = self.fine_double(self.to_double(full), double)
        x = self.to_fourfold(leaky_relu_(x, SLOPE))
        drawn: Tensor = self.last(leaky_relu_(self.fine_fourfold(x, fourfold), SLOPE))
        smooth = interpolate(images, scale_factor=FACTOR, mode="bicubic", align_corners=False)
        return smooth + drawn


def _to_zero(layer: nn.Conv2d) -> None:
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
