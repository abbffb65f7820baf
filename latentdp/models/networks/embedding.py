"""The verifier's network: an image becomes a unit vector, near to those of the same patient.

A small residual network (He et al. 2016, arXiv 1512.03385) with batch normalisation (Ioffe and
Szegedy 2015) and generalised-mean pooling (Radenovic et al. 2018, arXiv 1711.02512). It is fully
convolutional: weights for one size work on another, if less well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import normalize

from latentdp.errors import WeightsError

__all__ = ["EmbeddingConfig", "EmbeddingNet", "Residual", "batches", "embed"]


@dataclass(frozen=True, kw_only=True)
class EmbeddingConfig:
    """Shape of the network.

    Attributes:
        size: Side of the images in pixels that it is trained for.
        widths: Channels of each stage; every stage halves the image.
        blocks: Residual blocks of each stage.
        dimensions: Length of the unit vectors.
    """

    size: int = 64
    widths: tuple[int, ...] = (32, 64, 128, 256)
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    dimensions: int = 128

    def to_json(self) -> str:
        """For a weights file's metadata."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`.

        Raises:
            WeightsError: Not the description of such a network.
        """
        try:
            fields = json.loads(text)
            config = cls(
                size=int(fields["size"]),
                widths=tuple(map(int, fields["widths"])),
                blocks=tuple(map(int, fields["blocks"])),
                dimensions=int(fields["dimensions"]),
            )
        except (ValueError, TypeError, KeyError) as error:
            raise WeightsError("the description of the verifier's network is damaged") from error
        sizes = (config.size, config.dimensions, *config.widths, *config.blocks)
        if not (0 < len(config.widths) == len(config.blocks) and min(sizes) > 0):
            raise WeightsError("the description of the verifier's network is out of range")
        return config


class EmbeddingNet(nn.Module):
    """Images ``(n, 1, h, w)`` in [0, 1] to unit vectors ``(n, dimensions)``."""

    def __init__(self, config: EmbeddingConfig) -> None:
        super().__init__()
        self.config = config
        first = config.widths[0]
        self.stem = nn.Sequential(
            nn.Conv2d(1, first, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(first)
        )
        layers: list[nn.Module] = []
        before = first
        for stage, (width, count) in enumerate(zip(config.widths, config.blocks, strict=True)):
            for i in range(count):
                layers.append(Residual(before, width, stride=2 if i == 0 and stage > 0 else 1))
                before = width
        self.stages = nn.Sequential(*layers)
        self.power = nn.Parameter(torch.tensor(3.0))
        self.head = nn.Linear(before, config.dimensions, bias=False)
        self.head_norm = nn.BatchNorm1d(config.dimensions)

    def forward(self, images: Tensor) -> Tensor:
        """Embeds a batch; each image is centred and scaled on its own first."""
        return normalize(self.features(images), dim=1)

    def features(self, images: Tensor) -> Tensor:
        """Vectors ``(n, dimensions)`` before they are scaled to unit length."""
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        spread = images.std(dim=(1, 2, 3), keepdim=True)
        x = torch.relu(self.stem((images - mean) / (spread + 0.02)))
        x = self.stages(x).clamp(min=1e-4)
        pooled = x.pow(self.power).mean(dim=(2, 3)).pow(1 / self.power)
        features: Tensor = self.head_norm(self.head(pooled))
        return features


class Residual(nn.Module):
    """Two convolutions and a way around them; ``stride`` 2 halves the image."""

    def __init__(self, before: int, width: int, *, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, width, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(width)
        self.skip: nn.Module = nn.Identity()
        if stride > 1 or before != width:
            self.skip = nn.Sequential(
                nn.AvgPool2d(stride) if stride > 1 else nn.Identity(),
                nn.Conv2d(before, width, 1, bias=False),
                nn.BatchNorm2d(width),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Activations ``(n, before, h, w)`` to ``(n, width, h / stride, w / stride)``."""
        inner = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(self.second_norm(self.second(inner)) + self.skip(x))


def embed(net: nn.Module, images: NDArray[np.floating], batch: int = 256) -> NDArray[np.float64]:
    """Embeddings ``(n, dimensions)`` of images ``(n, h, w)`` in [0, 1], in evaluation mode."""
    training = net.training
    net.eval()
    parameter = next(net.parameters())
    parts = []
    with torch.inference_mode():
        for part in batches(images, batch):
            tensor = torch.from_numpy(part)[:, None].to(
                parameter.device, memory_format=torch.channels_last
            )
            parts.append(net(tensor).double().cpu().numpy())
    net.train(training)
    return np.concatenate(parts) if parts else np.zeros((0, 0))


def batches(images: NDArray[np.floating], batch: int) -> Iterator[NDArray[np.float32]]:
    """Consecutive parts of at most ``batch`` images, as float32."""
    for i in range(0, len(images), batch):
        yield np.ascontiguousarray(images[i : i + batch], dtype=np.float32)
