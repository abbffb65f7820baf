"""A conditional multi-scale Glow, composed of normflows' parts.

From Glow (Kingma and Dhariwal, 2018, arXiv 1807.03039) with four changes, each for a measured
reason:

- the first squeeze is 4x4 instead of 2x2: at equal time it trains to fewer bits per dimension;
- the coupling's scale is multiplied on the way to the image (``sigmoid_inv``), so decoding a
  perturbed latent contracts; the usual direction overflows to NaN under noise;
- the label reaches every coupling network and every prior. normflows' own block takes no label;
- the prior of a split-off half is predicted from the kept half and the label, per pixel.

Directions are named for what they do: ``encode`` is image to latent, ``decode`` latent to image.
"""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import normflows as nf
import torch
from torch import Tensor, nn

from latentdp.errors import InputError
from latentdp.models.flow.attributes import Attribute, condition_of, table_rows

__all__ = ["Glow", "GlowConfig", "Step", "channels_last", "log_density", "uninitialised"]

# A prior may not be sharper or wider than this many nats: a pixel that never varies in the
# training set (a black border) would otherwise get an unbounded gain.
LOG_SCALE_CAP = 4.0


@dataclass(frozen=True, kw_only=True)
class GlowConfig:
    """Everything that determines the shape of the network.

    Attributes:
        size: Height and width of the image in pixels; a multiple of 2 ** (levels + 1).
        classes: Names of the classes it is conditioned on, in the order of their indices.
        attributes: What it is conditioned on instead of classes; a network knows one or the other.
        steps: Flow steps per level, coarsest level first.
        hidden: Width of the coupling networks per level, coarsest first.
    """

    size: int
    classes: tuple[str, ...]
    steps: tuple[int, ...]
    hidden: tuple[int, ...]
    attributes: tuple[Attribute, ...] = ()

    first_squeeze: ClassVar[int] = 4  # side of the blocks of pixels that become channels first

    def __post_init__(self) -> None:
        if self.classes and self.attributes:
            raise InputError("expected classes or attributes, got both")
        if not self.steps or len(self.steps) != len(self.hidden):
            raise InputError(
                f"expected a number of steps and a width for each level, "
                f"got {len(self.steps)} and {len(self.hidden)}"
            )
        if min(self.steps) < 1 or min(self.hidden) < 2:
            raise InputError("expected at least 1 step and a width of 2 on each level")
        factor = self.first_squeeze * 2 ** (len(self.steps) - 1)
        if self.size < factor or self.size % factor:
            raise InputError(
                f"expected a size that is a multiple of {factor} for {len(self.steps)} levels, "
                f"got {self.size}"
            )

    def to_json(self) -> str:
        """One line, for the metadata of a weights file."""
        fields = asdict(self)
        if not self.attributes:  # as before there were any
            del fields["attributes"]
        return json.dumps(fields, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> GlowConfig:
        """The inverse of `to_json`."""
        fields: dict[str, Any] = json.loads(text)
        return cls(
            size=fields["size"],
            classes=tuple(fields["classes"]),
            steps=tuple(fields["steps"]),
            hidden=tuple(fields["hidden"]),
            attributes=tuple(
                Attribute(one["name"], tuple(one["values"]))
                for one in fields.get("attributes", ())
            ),
        )

    @property
    def conditioning(self) -> tuple[Attribute, ...]:
        """Attributes that it is conditioned on: classes are one attribute without a name."""
        return self.attributes or (Attribute("", self.classes),)

    @property
    def level_shapes(self) -> tuple[tuple[int, int, int], ...]:
        """Shape (channels, h, w) of the latent of each level, coarsest first."""
        shapes = []
        channels, size = self.first_squeeze**2, self.size // self.first_squeeze
        for _ in range(len(self.steps) - 1):
            shapes.append((channels // 2, size, size))
            channels, size = 2 * channels, size // 2
        shapes.append((channels, size, size))
        return tuple(reversed(shapes))


class LabelledNet(nn.Module):
    """normflows' 3x3-1x1-3x3 network whose first hidden layer is shifted by a condition.

    Equal to feeding it the condition tiled over the image, without the multiplications.
    The networks may run in bfloat16 (``mixed``) for training; the flow around them never does.
    """

    mixed = False

    def __init__(self, inputs: int, hidden: int, outputs: int, labels: int) -> None:
        super().__init__()
        self.net = nf.nets.ConvNet2d([inputs, hidden, hidden, outputs], (3, 1, 3)).net
        self.label = nn.Parameter(torch.zeros(labels, hidden))

    def forward(self, features_and_condition: tuple[Tensor, Tensor]) -> Tensor:
        features, condition = features_and_condition
        first, *rest = self.net
        shift = condition @ self.label
        with torch.autocast(features.device.type, torch.bfloat16, enabled=self.mixed):
            hidden: Tensor = first(features)
            hidden = hidden + shift.to(hidden.dtype)[:, :, None, None]
            for layer in rest:
                hidden = layer(hidden)
        return hidden.to(features.dtype)


class Step(nn.Module):
    """ActNorm, invertible 1x1 convolution, affine coupling under a condition.

    Args:
        channels: Number of channels, an even one.
        net: Maps a pair (half of the channels, condition) to scales and shifts of the other half.
    """

    def __init__(self, channels: int, net: nn.Module) -> None:
        super().__init__()
        self.norm = nf.flows.ActNorm((channels, 1, 1))
        with warnings.catch_warnings():  # normflows calls a torch function that is going away
            warnings.filterwarnings("ignore", message=".*torch.lu", category=UserWarning)
            self.mix = nf.flows.Invertible1x1Conv(channels, use_lu=True)
        self.coupling = nf.flows.AffineCoupling(net, scale=True, scale_map="sigmoid_inv")

    def encode(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Towards the latent, and the log-determinant ``(n,)``; the condition stays."""
        x, log_det_norm = self.norm.inverse(x)
        x, log_det_mix = self.mix.inverse(x)
        kept, moved = x.chunk(2, dim=1)
        # The coupling passes its first part on to the network unread, so it can ride there.
        (_, moved), log_det = self.coupling.inverse([(kept, condition), moved])
        return torch.cat([kept, moved], dim=1), log_det + log_det_norm + log_det_mix

    def decode(self, z: Tensor, condition: Tensor) -> Tensor:
        """The exact inverse of `encode`."""
        kept, moved = z.chunk(2, dim=1)
        (_, moved), _ = self.coupling.forward([(kept, condition), moved])
        z, _ = self.mix.forward(torch.cat([kept, moved], dim=1))
        z, _ = self.norm.forward(z)
        return z


class Prior(nn.Module):
    """Per-pixel diagonal Gaussian given the condition and, except at the top, the kept half.

    ``whiten`` maps the part that leaves the flow to N(0, I); ``colour`` maps it back.
    """

    def __init__(self, shape: tuple[int, int, int], hidden: int, labels: int, kept: int) -> None:
        super().__init__()
        channels, height, width = shape
        self.constant = nn.Parameter(torch.zeros(labels, 2 * channels, height, width))
        self.net = LabelledNet(kept, hidden, 2 * channels, labels) if kept else None

    def _parameters_of(self, condition: Tensor, kept: Tensor | None) -> tuple[Tensor, Tensor]:
        parameters = (condition @ self.constant.flatten(1)).reshape(-1, *self.constant.shape[1:])
        if self.net is not None and kept is not None:
            parameters = parameters + self.net((kept, condition))
        mean, log_scale = parameters.chunk(2, dim=1)
        return mean, LOG_SCALE_CAP * torch.tanh(log_scale / LOG_SCALE_CAP)

    def whiten(self, z: Tensor, condition: Tensor, kept: Tensor | None) -> tuple[Tensor, Tensor]:
        mean, log_scale = self._parameters_of(condition, kept)
        return (z - mean) * torch.exp(-log_scale), -log_scale.sum(dim=(1, 2, 3))

    def colour(self, z: Tensor, condition: Tensor, kept: Tensor | None) -> Tensor:
        mean, log_scale = self._parameters_of(condition, kept)
        return z * torch.exp(log_scale) + mean


class Glow(nn.Module):
    """The network. Images are ``(n, 1, size, size)`` in [-0.5, 0.5]; latents ``(n, d)``.

    Labels are ``(n,)`` indices of classes or ``(n, attributes)`` of values; the index after the
    last one, or -1, is "unknown".
    """

    def __init__(self, config: GlowConfig) -> None:
        super().__init__()
        self.config = config
        labels = len(table_rows(config.conditioning))
        self.levels = nn.ModuleList()  # coarsest first, as the latents
        self.priors = nn.ModuleList()
        for i, (channels, height, width) in enumerate(config.level_shapes):
            inside = channels if i == 0 else 2 * channels
            hidden = config.hidden[i]
            self.levels.append(
                nn.ModuleList(
                    Step(inside, LabelledNet(inside // 2, hidden, inside, labels))
                    for _ in range(config.steps[i])
                )
            )
            kept = 0 if i == 0 else channels
            self.priors.append(Prior((channels, height, width), hidden // 2, labels, kept))

    def encode(self, x: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """Image to whitened latent ``(n, d)``, coarsest level first, and the log-determinant."""
        log_det = x.new_zeros(x.shape[0])
        latents = []
        h = nn.functional.pixel_unshuffle(x, self.config.first_squeeze)
        condition = condition_of(self.config.conditioning, label).to(x.dtype)
        for i in reversed(range(len(self.levels))):
            for step in self.steps_of(i):
                h, change = step.encode(h, condition)
                log_det = log_det + change
            kept, leaving = (None, h) if i == 0 else h.chunk(2, dim=1)
            leaving, change = self.prior_of(i).whiten(leaving, condition, kept)
            log_det = log_det + change
            latents.append(leaving.flatten(1))
            if kept is not None:
                h = nn.functional.pixel_unshuffle(kept, 2)
        return torch.cat(latents[::-1], dim=1), log_det

    def decode(self, z: Tensor, label: Tensor) -> Tensor:
        """Whitened latent ``(n, d)`` to image; the exact inverse of `encode`."""
        shapes = self.config.level_shapes
        parts = torch.split(z, [math.prod(shape) for shape in shapes], dim=1)
        condition = condition_of(self.config.conditioning, label).to(z.dtype)
        h: Tensor | None = None
        for i, (part, shape) in enumerate(zip(parts, shapes, strict=True)):
            kept = None if h is None else nn.functional.pixel_shuffle(h, 2)
            leaving = self.prior_of(i).colour(part.reshape(-1, *shape), condition, kept)
            h = leaving if kept is None else torch.cat([kept, leaving], dim=1)
            for step in reversed(self.steps_of(i)):
                h = step.decode(h, condition)
        assert h is not None
        return nn.functional.pixel_shuffle(h, self.config.first_squeeze)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """Log-density in nats of each image of [-0.5, 0.5] (what training maximises)."""
        return log_density(*self.encode(x, label))

    def steps_of(self, level: int) -> list[Step]:
        """The steps of one level, in the order of `encode`."""
        steps = self.levels[level]
        assert isinstance(steps, nn.ModuleList)
        return [step for step in steps if isinstance(step, Step)]

    def prior_of(self, level: int) -> Prior:
        """The prior of one level."""
        prior = self.priors[level]
        assert isinstance(prior, Prior)
        return prior


def uninitialised(net: nn.Module) -> list[str]:
    """Names of ActNorm layers that have not been initialised by a first batch.

    Such a layer would take its statistics from the first image that it is given, in evaluation
    mode too: a patient's statistics would become part of the model.
    """
    return [
        name
        for name, module in net.named_modules()
        if isinstance(module, nf.flows.ActNorm) and not bool(module.data_dep_init_done)
    ]


def log_density(z: Tensor, log_det: Tensor) -> Tensor:
    """Log-density in nats of images, from what `Glow.encode` returns for them."""
    log_normal = -0.5 * (z.square().sum(dim=1) + z.shape[1] * math.log(2 * math.pi))
    return log_normal + log_det


def channels_last(net: Glow) -> Glow:
    """The network with its convolutions laid out as the CPU's and GPU's kernels like them best."""
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in the stubs
    return net
