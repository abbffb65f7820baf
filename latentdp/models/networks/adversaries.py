"""The networks that an adversarial anonymizer learns against: of patients and of findings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from latentdp.models.networks.embedding import EmbeddingConfig, EmbeddingNet

__all__ = ["FindingAdversary", "VerificationAdversary"]


class VerificationAdversary(nn.Module):
    """Tells whether two images ``(n, 1, h, w)`` are of one patient, as log odds ``(n,)``.

    A line through the cosine of their embeddings; its slope is kept positive.

    Args:
        config: Shape of the network whose embeddings are compared.
    """

    def __init__(self, config: EmbeddingConfig) -> None:
        super().__init__()
        self.embedding = EmbeddingNet(config)
        self.log_slope = nn.Parameter(torch.tensor(2.3))
        self.offset = nn.Parameter(torch.tensor(-5.0))

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Log odds of "the same patient", in one pass over both."""
        a, b = self.embedding(torch.cat([first, second])).chunk(2)
        return self.odds((a * b).sum(dim=1))

    def odds(self, cosines: Tensor) -> Tensor:
        """Log odds from cosines of embeddings."""
        return self.log_slope.exp() * cosines + self.offset


class FindingAdversary(nn.Module):
    """Log odds ``(n, classes)`` of what is on images ``(n, 1, h, w)``.

    Args:
        classes: Number of findings.
        widths: Channels of each convolution; each halves the image.
    """

    def __init__(self, classes: int, widths: tuple[int, ...] = (16, 32, 64, 128)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, width in zip((1, *widths[:-1]), widths, strict=True):
            layers += [
                nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
        self.stages = nn.Sequential(*layers)
        self.last = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """One pass."""
        out: Tensor = self.last(self.stages(images).mean(dim=(2, 3)))
        return out
