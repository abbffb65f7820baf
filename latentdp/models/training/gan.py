"""What trainings against networks have in common that tell what is made from originals.

Losses are those of Goodfellow et al. 2014 (arXiv 1406.2661, without saturation), the penalty of
discriminators is R1 (Mescheder et al. 2018, arXiv 1801.04406), and what they are shown is moved
and brightened a little (Zhao et al. 2020, arXiv 2006.10738), since there are few originals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, softplus

from latentdp.models.device import computes_bfloat16, device

__all__ = ["Judgement", "Moves", "cost", "judge", "sixteen_bits"]

PENALTY_EVERY = 8  # steps


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


class Judgement(NamedTuple):
    """What a discriminator said of a batch.

    Attributes:
        loss: What it lowers.
        made: Log-odds of made images.
        real: Log-odds of originals.
    """

    loss: Tensor
    made: Tensor
    real: Tensor


def judge(
    discriminator: nn.Module, made: Tensor, real: Tensor, *, step: int, penalty: float
) -> Judgement:
    """The loss by which a discriminator learns; every few steps with the penalty of its gradient.

    Args:
        discriminator: Images to log-odds that they are originals.
        made: Images ``(n, 1, h, w)``, without a gradient.
        real: Originals.
        step: Of the run.
        penalty: Weight of R1.
    """
    with sixteen_bits():
        odds = discriminator(made), discriminator(real)
    loss = softplus(odds[0]).mean() + softplus(-odds[1]).mean()
    if step % PENALTY_EVERY == 0:
        loss = loss + PENALTY_EVERY * penalty / 2 * _steepness(discriminator, real)
    return Judgement(loss, *odds)


def cost(discriminator: nn.Module, made: Tensor) -> Tensor:
    """How surely a discriminator, which does not learn from it, knows made images, in nats."""
    discriminator.requires_grad_(False)
    with sixteen_bits():
        odds = discriminator(made)
    discriminator.requires_grad_(True)
    known: Tensor = softplus(-odds).mean()
    return known


def _steepness(discriminator: nn.Module, images: Tensor) -> Tensor:
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
