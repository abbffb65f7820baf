"""Haar's transform: an image as its half and the detail that the half lacks (Haar 1910).

The half is the mean of each 2 x 2 pixels, so that grey levels stay grey levels. The detail is
three numbers for each pixel of the half, at the scale of an orthonormal transform.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from latentdp.core.arrays import Images

__all__ = ["half", "join", "split"]


def half(images: Images) -> Images:
    """Means of 2 x 2 pixels of ``(n, 2h, 2w)``, which is the half that `split` gives."""
    n, height, width = images.shape
    blocks = images.reshape(n, height // 2, 2, width // 2, 2)
    return np.asarray(blocks.mean(axis=(2, 4)), dtype=np.float32)


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
