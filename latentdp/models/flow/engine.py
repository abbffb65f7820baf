"""A flow's network where it computes: arrays in, arrays out, a micro-batch at a time.

Nothing is checked here; `latentdp.models.flow.flow` does.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentdp.core.arrays import Images, Labels, Latents
from latentdp.models.device import computes_bfloat16, device, micro_batch
from latentdp.models.flow.fused_glow import FrozenGlow
from latentdp.models.flow.glow import Glow, channels_last, log_density

__all__ = ["Engine"]


class Engine:
    """Runs a Glow for inference.

    Args:
        net: The network; it is moved to the device and frozen.
        exact: Coupling networks in float32 even where bfloat16 is faster.

    Attributes:
        net: The network as it was trained.
        micro_batch: Images that go through the network together; more would only take memory.
    """

    def __init__(self, net: Glow, *, exact: bool) -> None:
        self.net = channels_last(net.to(device())).eval().requires_grad_(False)
        self.micro_batch = micro_batch(net.config)
        self._exact = exact

    @cached_property
    def _fast(self) -> Glow | FrozenGlow:
        """Made when it is first used: the process of a run with workers never does."""
        if type(self.net) is not Glow:  # what differs differs in what could be folded
            return self.net
        low = computes_bfloat16() and not self._exact
        return FrozenGlow(self.net, torch.bfloat16 if low else torch.float32)

    def encode(self, images: Images, labels: Labels) -> tuple[Latents, NDArray[np.float64]]:
        """Images ``(n, h, w)`` in [0, 1] to latents ``(n, d)`` and log-densities ``(n,)`` in nats.

        The density of an image is that of the middle of its dequantisation bins.
        """
        latents = np.empty((len(images), self.net.config.size**2))
        nats = np.empty(len(images))
        for rows in self._micro_batches(len(images)):
            # An 8-bit value k / 255 goes to the middle of its dequantisation bin.
            x = torch.from_numpy((images[rows] * 255 + 0.5) / 256 - 0.5)[:, None]
            with torch.inference_mode():
                z, log_det = self._fast.encode(_placed(x), _placed(torch.from_numpy(labels[rows])))
                nats[rows] = log_density(z.double(), log_det.double()).cpu().numpy()
            latents[rows] = z.double().cpu().numpy()
        return latents, nats

    def decode(self, latents: Latents, labels: Labels) -> Images:
        """Latents ``(n, d)`` to images ``(n, h, w)``, not clipped and perhaps not finite."""
        side = self.net.config.size
        images = np.empty((len(latents), side, side), dtype=np.float32)
        for rows in self._micro_batches(len(latents)):
            z = torch.from_numpy(latents[rows].astype(np.float32))
            with torch.inference_mode():
                x = self._fast.decode(_placed(z), _placed(torch.from_numpy(labels[rows])))
            images[rows] = ((x[:, 0].cpu().numpy() + 0.5) * 256 - 0.5) / 255
        return images

    def pull_back(
        self, latents: Latents, labels: Labels, gradients: NDArray[np.float64]
    ) -> Latents:
        """What a cost's gradients by images ``(n, h, w)`` are by latents ``(n, d)``."""
        pulled = np.empty_like(latents, dtype=np.float64)
        for rows in self._micro_batches(len(latents)):
            z = _placed(torch.from_numpy(latents[rows].astype(np.float32))).requires_grad_()
            with torch.enable_grad():
                x = self.net.decode(z, _placed(torch.from_numpy(labels[rows])))
            # In images, which are 256 / 255 of what the network makes.
            by_image = torch.from_numpy(gradients[rows] * 256 / 255).to(x)[:, None]
            (by_latent,) = torch.autograd.grad(x, z, by_image)
            pulled[rows] = by_latent.double().cpu().numpy()
        return pulled

    def mean_log_density(self, pixels: NDArray[np.uint8], labels: Labels) -> float:
        """Mean over 8-bit images ``(n, h, w)``, uniformly dequantised with a seed, in nats."""
        generator = torch.Generator().manual_seed(1)
        total = 0.0
        for rows in self._micro_batches(len(pixels)):
            x = torch.from_numpy(pixels[rows]).float()[:, None]
            x = (x + torch.rand(x.shape, generator=generator)) / 256 - 0.5
            with torch.inference_mode():
                nats = self.net(_placed(x), _placed(torch.from_numpy(labels[rows])))
                total += float(nats.double().sum())
        return total / len(pixels)

    def _micro_batches(self, n: int) -> list[slice]:
        step = self.micro_batch
        return [slice(i, min(i + step, n)) for i in range(0, n, step)]


def _placed(x: Tensor) -> Tensor:
    if x.ndim == 4:
        return x.to(device(), memory_format=torch.channels_last)
    return x.to(device())
