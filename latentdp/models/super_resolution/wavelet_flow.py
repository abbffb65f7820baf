"""A flow for detail: what an image of twice the size has beyond its half.

It models Haar's detail coefficients given the half, as wavelet flows do (Yu et al. 2020, arXiv
2010.13821). It is convolutional, so that it learns from crops and works on images of any size.
A detail that is drawn from it depends on the half alone: if the half is private, this is
post-processing and costs nothing.

In training the network that looks at the half is shown a slightly noisy or blurred one (Ho et al.
2021, arXiv 2106.15282, section 4): a private half is not quite as sharp as a real one.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

import normflows as nf
import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from latentdp.errors import InputError
from latentdp.models.flow.glow import LOG_SCALE_CAP, Step

__all__ = ["WaveletFlow", "WaveletFlowConfig"]

CHANNELS = 12  # three details of 2 x 2 pixels of the half


@dataclass(frozen=True, kw_only=True)
class WaveletFlowConfig:
    """Everything that determines the shape of the network.

    Attributes:
        size: Side in pixels of the larger image that it is trained for.
        steps: Flow steps.
        hidden: Width of the coupling networks.
        features: Channels in which the half is described.
        blocks: Residual blocks that describe it.
    """

    size: int
    steps: int = 8
    hidden: int = 64
    features: int = 48
    blocks: int = 2

    def __post_init__(self) -> None:
        if min(self.steps, self.hidden, self.features) < 1 or self.blocks < 0:
            raise InputError("expected at least 1 step and a width of 1")
        if max(self.steps, self.blocks) > 256 or max(self.hidden, self.features) > 4096:
            raise InputError("expected at most 256 steps and blocks, and widths up to 4096")
        if self.size < 4 or self.size % 4:
            raise InputError(f"expected a size that is a multiple of 4, got {self.size}")

    def to_json(self) -> str:
        """One line, for the metadata of a weights file."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> WaveletFlowConfig:
        """The inverse of `to_json`."""
        return cls(**{key: int(value) for key, value in json.loads(text).items()})


class ShiftedNet(nn.Module):
    """A 3x3-1x1-3x3 network whose first hidden layer is shifted by what is known of the half."""

    def __init__(self, inputs: int, hidden: int, outputs: int, features: int) -> None:
        super().__init__()
        self.net = nf.nets.ConvNet2d([inputs, hidden, hidden, outputs], (3, 1, 3)).net
        self.shift = nn.Conv2d(features, hidden, 1, bias=False)

    def forward(self, input_and_features: tuple[Tensor, Tensor]) -> Tensor:
        x, features = input_and_features
        first, *rest = self.net
        hidden: Tensor = first(x) + self.shift(features)
        for layer in rest:
            hidden = layer(hidden)
        return hidden


class Description(nn.Module):
    """Features ``(n, features, h / 2, w / 2)`` of a half ``(n, 1, h, w)`` in [-0.5, 0.5]."""

    def __init__(self, features: int, blocks: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, features, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(),
                nn.Conv2d(features, features, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(features, features, 3, padding=1),
            )
            for _ in range(blocks)
        )

    def forward(self, half: Tensor) -> Tensor:
        x: Tensor = self.first(4 * pixel_unshuffle(half, 2))
        for block in self.blocks:
            x = x + block(x)
        return torch.relu(x)


class WaveletFlow(nn.Module):
    """Details ``(n, 3, h, w)`` to latents of the same shape, given halves ``(n, 1, h, w)``."""

    def __init__(self, config: WaveletFlowConfig) -> None:
        super().__init__()
        self.config = config
        self.description = Description(config.features, config.blocks)
        self.steps = nn.ModuleList(
            Step(CHANNELS, ShiftedNet(CHANNELS // 2, config.hidden, CHANNELS, config.features))
            for _ in range(config.steps)
        )
        self.prior = nn.Conv2d(config.features, 2 * CHANNELS, 1)
        nn.init.zeros_(self.prior.weight)
        if self.prior.bias is not None:
            nn.init.zeros_(self.prior.bias)

    def encode(self, details: Tensor, halves: Tensor) -> tuple[Tensor, Tensor]:
        """Whitened latents and the log-determinant ``(n,)``.

        Args:
            details: As `haar.split` gives them of images in [-0.5, 0.5].
            halves: As `haar.split` gives them; what the description is made of.
        """
        features = self.description(halves)
        h, log_det = pixel_unshuffle(details, 2), details.new_zeros(len(details))
        for step in self.flow_steps:
            h, change = step.encode(h, features)
            log_det = log_det + change
        mean, log_scale = self._prior(features)
        z = (h - mean) * torch.exp(-log_scale)
        return pixel_shuffle(z, 2), log_det - log_scale.sum(dim=(1, 2, 3))

    def decode(self, z: Tensor, halves: Tensor) -> Tensor:
        """Details; the exact inverse of `encode`."""
        features = self.description(halves)
        mean, log_scale = self._prior(features)
        h = pixel_unshuffle(z, 2) * torch.exp(log_scale) + mean
        for step in reversed(self.flow_steps):
            h = step.decode(h, features)
        return pixel_shuffle(h, 2)

    def forward(self, details: Tensor, halves: Tensor) -> Tensor:
        """Log-density in nats ``(n,)`` of each image's details, given its half."""
        z, log_det = self.encode(details, halves)
        normal = 0.5 * (z.square().sum(dim=(1, 2, 3)) + z[0].numel() * math.log(2 * math.pi))
        return log_det - normal

    def _prior(self, features: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_scale = self.prior(features).chunk(2, dim=1)
        return mean, LOG_SCALE_CAP * torch.tanh(log_scale / LOG_SCALE_CAP)

    @property
    def flow_steps(self) -> list[Step]:
        """The steps, in the order of `encode`."""
        return [step for step in self.steps if isinstance(step, Step)]
