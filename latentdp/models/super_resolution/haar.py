"""Haar's transform: an image as its half and the detail that the half lacks (Haar 1910).

The half is the mean of each 2 x 2 pixels, so that grey levels stay grey levels. The detail is
three numbers for each pixel of the half, at the scale of an orthonormal transform.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

__all__ = ["join", "split"]


def split(images: Tensor) -> tuple[Tensor, Tensor]:
    """Images ``(n, 1, 2h, 2w)`` to halves ``(n, 1, h, w)`` and details ``(n, 3, h, w)``."""
    a, b, c, d = pixel_unshuffle(images, 2).chunk(4, dim=1)
    details = torch.cat([a - b + c - d, a + b - c - d, a - b - c + d], dim=1) / 2
    return (a + b + c + d) / 4, details


def join(halves: Tensor, details: Tensor) -> Tensor:
    """The inverse of `split`."""
    across, down, both = (details / 2).chunk(3, dim=1)
    parts = (
        halves + across + down + both,
        halves - across + down - both,
        halves + across - down - both,
        halves - across - down + both,
    )
    return pixel_shuffle(torch.cat(parts, dim=1), 2)
