"""What trainings against networks have in common that tell what is made from originals.

Losses are those of Goodfellow et al. 2014 (arXiv 1406.2661, without saturation), the penalty of
discriminators is R1 (Mescheder et al. 2018, arXiv 1801.04406), and what they are shown is moved
and brightened a little (Zhao et al. 2020, arXiv 2006.10738), since there are few originals.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from latentdp.models.device import computes_bfloat16, device

__all__ = ["Moves", "sixteen_bits", "steepness"]


@dataclass(frozen=True, kw_only=True)
class Moves:
    """How images are changed at random before a discriminator sees them.

    Attributes:
        share: Of the side by which an image is moved at most, each way.
        contrast: By which share it is raised or lowered at most.
        brightness: By how much of white.
        edges: How what comes in from outside looks: "constant" for grey, "replicate".
    """

    share: float
    contrast: float
    brightness: float
    edges: str = "constant"

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Images ``(n, 1, side, side)`` in [-0.5, 0.5], each changed in its own way."""
        side = images.shape[-1]
        edge = int(self.share * side)
        wide = pad(images, (edge,) * 4, mode=self.edges)
        places = torch.randint(2 * edge + 1, (len(images), 2), generator=generator).tolist()
        parts = [
            image[:, y : y + side, x : x + side]
            for image, (y, x) in zip(wide, places, strict=True)
        ]
        drawn = torch.rand(2, len(images), 1, 1, 1, generator=generator).to(images.device)
        contrast, brightness = 2 * drawn - 1
        moved: Tensor = torch.stack(parts) * (1 + self.contrast * contrast)
        moved += self.brightness * brightness
        return moved


def steepness(discriminator: nn.Module, images: Tensor) -> Tensor:
    """R1: mean square of the length of the gradient, as if images had 64 pixels a side."""
    at = images.detach().requires_grad_(True)
    odds = discriminator(at).mean(dim=(1, 2, 3)).sum()
    (gradient,) = torch.autograd.grad(odds, at, create_graph=True)
    squares: Tensor = gradient.square().sum(dim=(1, 2, 3)).mean()
    as_if: Tensor = squares * (64 / images.shape[-1]) ** 2
    return as_if


def sixteen_bits() -> torch.autocast:
    """Where the processor computes in bfloat16 itself."""
    return torch.autocast(device().type, dtype=torch.bfloat16, enabled=computes_bfloat16())
