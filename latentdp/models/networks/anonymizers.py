"""What an adversarial anonymizer may do to an image: bend it, or repaint it.

Deformation is PriCheXy-Net's (Packhaeuser et al. 2023, arXiv 2209.11531): a U-Net predicts a
displacement of every pixel in [-1, 1], which is smoothed, scaled by mu and sampled bilinearly; the
outermost pixels are at -1 and 1. Repainting is Privacy-Net's (Kim et al. 2021, arXiv 1909.04087),
to which that paper compares: the U-Net's output is the new image.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import conv2d, grid_sample, pad

from latentdp.models.device import device, placed
from latentdp.models.networks.embedding import batches
from latentdp.models.networks.unet import UNet

__all__ = ["Deformer", "Repainter", "anonymized", "identity_grid", "warp_grid"]

TAPS, SIGMA = 9, 2.0  # of the smoothing, in pixels, as published


def identity_grid(height: int, width: int) -> Tensor:
    """Where each pixel is, ``(1, 2, h, w)``: across, then down, in [-1, 1]."""
    down, across = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    return torch.stack([across, down])[None]


def warp_grid(flow: Tensor, mu: float, *, faulty_border: bool = False) -> Tensor:
    """Where each pixel is taken from, ``(n, 2, h, w)``.

    Args:
        flow: ``(n, 2, h, w)`` in [-1, 1].
        mu: Largest displacement, in half sides of the image.
        faulty_border: Smooth positions instead of displacements, with zeros around them, as the
            published program does. That draws the border to the centre whatever mu is.
    """
    identity = identity_grid(*flow.shape[2:]).to(flow)
    if faulty_border:
        return _smooth(pad(identity - mu * flow, [TAPS // 2] * 4))
    return identity - mu * _smooth(pad(flow, [TAPS // 2] * 4, mode="replicate"))


def _smooth(padded: Tensor) -> Tensor:
    offsets = torch.arange(TAPS, dtype=padded.dtype, device=padded.device) - TAPS // 2
    weights = torch.exp(-0.5 * (offsets / SIGMA) ** 2)
    weights = (weights / weights.sum()).expand(2, 1, 1, TAPS)
    across = conv2d(padded, weights, groups=2)
    return conv2d(across, weights.transpose(2, 3), groups=2)


class Deformer(nn.Module):
    """Bends images ``(n, 1, h, w)``; starts as the identity.

    Args:
        mu: Largest displacement, in half sides of the image.
        faulty_border: Whether to smooth as the published program does; see `warp_grid`.
        features: Channels of the U-Net's first level.
        levels: How often the U-Net halves the image.
    """

    def __init__(self, mu: float, *, faulty_border: bool, features: int, levels: int) -> None:
        super().__init__()
        self.mu, self.faulty_border = mu, faulty_border
        self.net = UNet(2, features=features, levels=levels, still=True)

    def forward(self, images: Tensor) -> Tensor:
        """Bent images in the range of the given ones."""
        flow = torch.tanh(self.net(images))
        grid = warp_grid(flow, self.mu, faulty_border=self.faulty_border).permute(0, 2, 3, 1)
        return grid_sample(images, grid, padding_mode="border", align_corners=True)


class Repainter(nn.Module):
    """Repaints images ``(n, 1, h, w)``.

    Args:
        features: Channels of the U-Net's first level.
        levels: How often the U-Net halves the image.
    """

    def __init__(self, *, features: int, levels: int) -> None:
        super().__init__()
        self.net = UNet(1, features=features, levels=levels)

    def forward(self, images: Tensor) -> Tensor:
        """New images in [0, 1]."""
        return torch.sigmoid(self.net(images))


def anonymized(
    net: nn.Module, images: NDArray[np.floating], batch: int = 64
) -> NDArray[np.float32]:
    """Images ``(n, h, w)`` in [0, 1], each changed by a network on its own.

    Args:
        net: Maps ``(n, 1, h, w)`` to such, in evaluation mode.
        images: ``(n, h, w)`` in [0, 1].
        batch: How many go through the network together.
    """
    net = placed(net)
    parts = [np.zeros((0, *images.shape[1:]), dtype=np.float32)]
    with torch.inference_mode():
        for part in batches(images, batch):
            shown = torch.from_numpy(part)[:, None].to(device(), memory_format=torch.channels_last)
            parts.append(net(shown)[:, 0].cpu().numpy())
    return np.asarray(np.clip(np.concatenate(parts), 0, 1))
