"""Training a wavelet flow: on crops, by maximum likelihood, resumable."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from latentdp.errors import InputError
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.device import placed
from latentdp.models.model_card.card import ModelCard
from latentdp.models.super_resolution.haar import split
from latentdp.models.super_resolution.wavelet_flow import WaveletFlow, WaveletFlowConfig
from latentdp.models.training.maximum_likelihood import (
    MaximumLikelihood,
    MaximumLikelihoodConfig,
    halved,
)

__all__ = ["WaveletFlowTraining", "WaveletFlowTrainingConfig", "detail_bits"]

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class WaveletFlowTrainingConfig(MaximumLikelihoodConfig):
    """How to train a wavelet flow; a batch is of crops.

    Attributes:
        crop: Side of a crop of the larger image in pixels; a multiple of 4.
        noise: Largest standard deviation of the noise on the half that is looked at, in [0, 1].
    """

    crop: int = 64
    noise: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.crop < 8 or self.crop % 4:
            raise InputError(f"expected a crop that is a multiple of 4 pixels, got {self.crop}")


class WaveletFlowTraining(MaximumLikelihood[WaveletFlow]):
    """One training run of a wavelet flow.

    Args:
        config: Shape of the network.
        settings: How to train.
        train: Images ``(n, size, size)`` of the larger size, 8-bit, at least 2.
        val: Such images, which are only looked at.
        state: Where the run is kept so that it can go on after an interruption.

    Raises:
        InputError: Images smaller than a crop, or a state of another network.
    """

    settings: WaveletFlowTrainingConfig

    def __init__(
        self,
        config: WaveletFlowConfig,
        settings: WaveletFlowTrainingConfig,
        train: Pixels,
        val: Pixels,
        state: Path,
    ) -> None:
        if len(train) < 2 or train.shape[1] < settings.crop:
            raise InputError(
                f"expected at least 2 images of {settings.crop} pixels, got shape {train.shape}"
            )
        self.config, self.train, self.val = config, train, val
        torch.manual_seed(settings.seed)
        net = placed(WaveletFlow(config))
        super().__init__(net, settings, state, config.to_json(), seed=settings.seed)
        if not self.resume():
            with torch.no_grad():
                self.net(*self._batch(256))  # ActNorm's first batch: public images
            self._begin()

    def checkpoint(self, name: str, card: ModelCard) -> Checkpoint:
        """The averaged network as a weights file; convolutions as 16-bit floats."""
        return Checkpoint(
            name=name,
            kind="octave",
            config=self.config.to_json(),
            card=card,
            tensors=halved(self.average, when=".weight"),
        )

    def _extras(self) -> dict[str, float]:
        return {"val": detail_bits(self.average, self.val[:64])[0]}

    def _loss(self) -> Tensor:
        details, halves = self._batch(self.settings.batch)
        log_density: Tensor = self.net(details, halves)
        return 8 - log_density.mean() / (details[0].numel() * math.log(2))

    def _batch(self, n: int) -> tuple[Tensor, Tensor]:
        """Details of crops, and what is shown of their halves."""
        s, g = self.settings, self.generator
        rows = torch.randint(len(self.train), (n,), generator=g).tolist()
        places = torch.randint(self.train.shape[1] - s.crop + 1, (n, 2), generator=g).tolist()
        crops = np.stack(
            [
                self.train[i, y : y + s.crop, x : x + s.crop]
                for i, (y, x) in zip(rows, places, strict=True)
            ]
        )
        pixels = torch.from_numpy(crops).float()[:, None]
        pixels = (pixels + torch.rand(pixels.shape, generator=g)) / 256 - 0.5
        halves, details = split(pixels)
        device = next(self.net.parameters()).device
        return (
            details.to(device, memory_format=torch.channels_last),
            degraded(halves, s.noise, g).to(device),
        )


def degraded(halves: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """Halves with up to so much noise, half of them blurred to some degree."""
    n = len(halves)
    blurred = avg_pool2d(pad(halves, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    share = torch.rand(n, 1, 1, 1, generator=generator)
    share = share * (torch.rand(n, 1, 1, 1, generator=generator) < 0.5)
    spread = noise * torch.rand(n, 1, 1, 1, generator=generator)
    grain = spread * torch.randn(halves.shape, generator=generator)
    return halves + share * (blurred - halves) + grain


def detail_bits(net: WaveletFlow, pixels: Pixels) -> tuple[float, int]:
    """Bits per detail coefficient of 8-bit images ``(n, size, size)``, given their halves.

    Under uniform dequantisation with a fixed seed; the halves are shown as they are.

    Returns:
        The mean over all images whose detail has a finite density, and the number of others: an
        edge or a letter such as the network never saw may overflow it.
    """
    generator = torch.Generator().manual_seed(1)
    device = next(net.parameters()).device
    nats = np.empty(len(pixels))
    for i, image in enumerate(pixels):
        x = torch.from_numpy(image.copy()).float()[None, None]
        x = (x + torch.rand(x.shape, generator=generator)) / 256 - 0.5
        with torch.inference_mode():
            halves, details = (part.to(device) for part in split(x))
            nats[i] = float(net(details, halves).double().sum()) / details[0].numel()
    there = nats[np.isfinite(nats)]
    bits = 8 - float(there.mean()) / math.log(2) if len(there) else math.inf
    return bits, len(nats) - len(there)
