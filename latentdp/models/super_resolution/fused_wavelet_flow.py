"""A flow for detail for inference alone: what need not be computed again is folded once.

As in `latentdp.models.flow.fused_glow`: normalisation and mixing of a step are one convolution,
shifts and scales leave the coupling networks one after the other, and everything lies channels
last. The networks may compute in bfloat16 where the processor does; the affine maps never do.
"""

from __future__ import annotations

import copy
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentdp.models.flow.fused_glow import Affine, convolutions_of, laid_channels_last
from latentdp.models.flow.glow import LOG_SCALE_CAP, Step
from latentdp.models.super_resolution.wavelet_flow import Description, WaveletFlow

__all__ = ["FrozenWaveletFlow"]


class _FoldedDescription(nn.Module):
    """A `Description`, with the prior's mean and logarithm of the scale behind it."""

    def __init__(self, description: Description, prior: nn.Conv2d, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self.first = copy.deepcopy(description.first).to(dtype)
        self.blocks = nn.ModuleList(copy.deepcopy(block) for block in description.blocks).to(dtype)
        self.prior = copy.deepcopy(prior).to(dtype)

    def forward(self, halves: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features in the type of the networks; mean and logarithm of the scale in float32."""
        x: Tensor = self.first(laid_channels_last(4 * F.pixel_unshuffle(halves, 2)).to(self.dtype))
        for block in self.blocks:
            x = x + block(x)
        x = x.relu_()
        mean, log_scale = self.prior(x).to(halves.dtype).chunk(2, dim=1)
        return x, mean, torch.tanh(log_scale / LOG_SCALE_CAP).mul_(LOG_SCALE_CAP)


class _FoldedDetailStep(nn.Module):
    """A `Step` towards the image."""

    def __init__(self, step: Step, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype, net = dtype, step.coupling.param_map
        self.back = Affine.towards_image(step)
        self.first, self.second, self.last = convolutions_of(net.net, dtype, interleaved=True)
        self.shift = copy.deepcopy(net.shift).to(dtype)

    def forward(self, z: Tensor, features: Tensor) -> Tensor:
        """As `Step.decode`."""
        kept, moved = z.chunk(2, dim=1)
        hidden: Tensor = self.first(kept.to(self.dtype)).add_(self.shift(features)).relu_()
        out: Tensor = self.last(self.second(hidden).relu_())
        offset, scale = out.to(z.dtype).chunk(2, dim=1)
        moved = torch.addcmul(offset, moved, torch.sigmoid(scale + 2))
        image: Tensor = self.back(torch.cat([kept, moved], dim=1))
        return image


class FrozenWaveletFlow:
    """A `WaveletFlow` for inference: the same `decode` but for rounding.

    Args:
        net: The network, which is not changed.
        dtype: In which its networks compute.
    """

    def __init__(self, net: WaveletFlow, dtype: torch.dtype = torch.float32) -> None:
        with torch.no_grad():
            self.description = _FoldedDescription(net.description, net.prior, dtype)
            self.steps = [_FoldedDetailStep(step, dtype) for step in net.flow_steps]
        for part in chain([self.description], self.steps):
            part.eval().requires_grad_(False)
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def decode(self, z: Tensor, halves: Tensor) -> Tensor:
        """Latents ``(n, 3, h, w)`` and halves ``(n, 1, h, w)`` to details, as `WaveletFlow`."""
        features, mean, log_scale = self.description(halves)
        latents = laid_channels_last(F.pixel_unshuffle(z, 2))
        h = torch.addcmul(mean, latents, log_scale.exp_())
        for step in reversed(self.steps):
            h = step(h, features)
        return F.pixel_shuffle(h, 2)
