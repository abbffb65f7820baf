"""Networks that could have been: each differs from ours in one thing."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from normflows.flows.neural_spline.coupling import PiecewiseRationalQuadraticCoupling
from normflows.nets import ConvNet2d
from torch import Tensor, nn

from latentdp.models.flow.glow import Glow, GlowConfig, LabelledNet, Step, log_density
from latentdp.models.training.augmentation import Augmentation
from latentdp.models.training.glow import GlowTraining

__all__ = ["VARIANTS", "PlainPriors", "Variant", "VariantTraining"]

POSES = Augmentation(
    degrees=4, scale=0.05, shift=0.02, shear=0.02, exposure=0.1, blur=0.0, noise=0.0, erase=0.0
)


class SmallSqueeze(GlowConfig):
    """Blocks of 2x2 pixels become channels first, as in Glow's own network."""

    first_squeeze: ClassVar[int] = 2


class LabelInBases(Glow):
    """Only the priors' constants know the label."""

    def __init__(self, config: GlowConfig) -> None:
        super().__init__(config)
        for module in self.modules():
            if isinstance(module, LabelledNet):
                module.label.requires_grad_(False)  # it is zero


class PlainPriors(Glow):
    """The prior of a split-off half does not see the kept half."""

    def __init__(self, config: GlowConfig) -> None:
        super().__init__(config)
        for prior in self.priors:
            prior.net = None


def _replace_steps(net: Glow, step: Callable[[int, int, int], Step]) -> None:
    """All steps made anew, of their channels, width and number of labels."""
    config = net.config
    labels = len(config.classes) + 1
    for i, (channels, _, _) in enumerate(config.level_shapes):
        inside = channels if i == 0 else 2 * channels
        net.levels[i] = nn.ModuleList(
            step(inside, config.hidden[i], labels) for _ in range(config.steps[i])
        )


class SplineStep(Step):
    """A monotone rational-quadratic spline in the place of scale and shift."""

    BINS = 8

    def __init__(self, channels: int, hidden: int, labels: int) -> None:
        super().__init__(channels, nn.Identity())
        mask = torch.arange(channels) >= channels // 2
        self.coupling = PiecewiseRationalQuadraticCoupling(
            mask,
            lambda inputs, outputs: _WithContext(inputs, hidden, outputs, labels),
            num_bins=self.BINS,
            tails="linear",
            tail_bound=3.0,
        )

    def encode(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Towards the latent."""
        x, log_det_norm = self.norm.inverse(x)
        x, log_det_mix = self.mix.inverse(x)
        x, log_det = self.coupling.forward(x, condition)
        return x, log_det + log_det_norm + log_det_mix

    def decode(self, z: Tensor, condition: Tensor) -> Tensor:
        """The exact inverse of `encode`."""
        z, _ = self.coupling.inverse(z, condition)
        z, _ = self.mix.forward(z)
        z, _ = self.norm.forward(z)
        return z


class _WithContext(LabelledNet):
    def __init__(self, inputs: int, hidden: int, outputs: int, labels: int) -> None:
        super().__init__(inputs, hidden, outputs, labels)
        self.hidden_channels = hidden  # by which normflows scales what goes into a softmax

    def forward(self, features: Tensor, context: Tensor) -> Tensor:
        return super().forward((features, context)).contiguous()


class Splines(Glow):
    """All couplings are splines."""

    def __init__(self, config: GlowConfig) -> None:
        super().__init__(config)
        _replace_steps(self, SplineStep)


class SeparableNet(LabelledNet):
    """1x1, a 3x3 of each channel by itself, 1x1, 1x1: a third of the multiplications of ours.

    A convolution apart for each channel and then one of a pixel is MobileNet's (Howard et al.
    2017, arXiv 1704.04861, section 3.1); the first and the last of ours become 1x1 besides.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int, labels: int) -> None:
        super().__init__(inputs, hidden, outputs, labels)
        self.net = nn.Sequential(
            nn.Conv2d(inputs, hidden, 1),
            nn.ReLU(),
            nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden),
            nn.Conv2d(hidden, hidden, 1),
            nn.ReLU(),
            nn.Conv2d(hidden, outputs, 1),
        )
        last = self.net[-1]
        nn.init.zeros_(last.weight)  # every coupling begins as ours does
        nn.init.zeros_(last.bias)


class Separable(Glow):
    """Coupling networks convolve each channel by itself."""

    def __init__(self, config: GlowConfig) -> None:
        super().__init__(config)
        _replace_steps(
            self,
            lambda channels, hidden, labels: Step(
                channels, SeparableNet(channels // 2, hidden, channels, labels)
            ),
        )


class Dequantised(Glow):
    """Where in its bin a grey level lies is learnt, by one Gaussian layer.

    Variational dequantisation (Ho et al. 2019, equation 12): what it reports is a bound.
    """

    def __init__(self, config: GlowConfig) -> None:
        super().__init__(config)
        self.where = ConvNet2d([1, 32, 32, 2], (3, 1, 3))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        """``x`` holds uniform dequantisation, of which only the bin is used."""
        bins = torch.floor((x + 0.5) * 256)
        mean, log_scale = self.where((bins + 0.5) / 256 - 0.5).chunk(2, dim=1)
        log_scale = log_scale.clamp(-5, 5)
        drawn = torch.randn_like(mean)
        inside = mean + drawn * log_scale.exp()
        placed = (bins + torch.sigmoid(inside)) / 256 - 0.5
        log_q = -0.5 * (drawn.square() + math.log(2 * math.pi)) - log_scale
        log_q = log_q - nn.functional.logsigmoid(inside) - nn.functional.logsigmoid(-inside)
        return log_density(*self.encode(placed, label)) - log_q.sum(dim=(1, 2, 3))


@dataclass(frozen=True)
class Variant:
    """One thing that differs from ours.

    Attributes:
        words: Which.
        net: The network.
        steps, hidden: As `GlowConfig` has them.
        config: Kind of configuration.
        settings: Fields of `GlowTrainingConfig` that differ.
        poses: Whether images are turned and scaled.
    """

    words: str
    net: Callable[[GlowConfig], Glow] = Glow
    steps: tuple[int, ...] = (12, 12, 8)
    hidden: tuple[int, ...] = (192, 160, 128)
    config: type[GlowConfig] = GlowConfig
    settings: dict[str, Any] = field(default_factory=dict)
    poses: bool = False


VARIANTS = {
    "ours": Variant("4x4 first squeeze, 12/12/8 steps of 192/160/128"),
    "squeeze-2x2": Variant(
        "2x2 first squeeze, 12/12/8/4 steps of 192/128/128/64",
        steps=(12, 12, 8, 4),
        hidden=(192, 128, 128, 64),
        config=SmallSqueeze,
    ),
    "label-in-bases": Variant("coupling networks do not see the label", net=LabelInBases),
    "plain-priors": Variant("split priors without condition", net=PlainPriors),
    "wide-fine": Variant("widths 128/160/192", hidden=(128, 160, 192)),
    "wide-coarse": Variant("widths 320/192/96", hidden=(320, 192, 96)),
    "wide": Variant("widths 288/240/192", hidden=(288, 240, 192)),
    "narrow": Variant("widths 128/96/64", hidden=(128, 96, 64)),
    "narrow-separable": Variant(
        "widths 128/96/64, separable convolutions", net=Separable, hidden=(128, 96, 64)
    ),
    "few-fine": Variant("12/12/4 steps of 128/96/64", steps=(12, 12, 4), hidden=(128, 96, 64)),
    "deep": Variant("20/16/12 steps of 160/128/96", steps=(20, 16, 12), hidden=(160, 128, 96)),
    "splines": Variant("rational-quadratic splines of 8 bins", net=Splines),
    "dequantised": Variant("variational dequantisation (a bound)", net=Dequantised),
    "unshifted": Variant("no augmentation", settings={"shift": 0}),
    "poses": Variant("augmented by rotation, scale, shear, exposure", poses=True),
}


class VariantTraining(GlowTraining):
    """A trainer of another network.

    Args:
        variant: Which.
        arguments: As for `GlowTraining`.
    """

    clock = staticmethod(time.process_time)  # whatever else the machine does

    def __init__(self, variant: Variant, *arguments: Any) -> None:
        self.variant = variant
        super().__init__(*arguments)

    def _build(self, config: GlowConfig) -> Glow:
        return self.variant.net(config)

    def _batch(self, n: int) -> tuple[Tensor, Tensor]:
        pixels, labels = super()._batch(n)
        if self.variant.poses:
            bins = torch.floor((pixels + 0.5) * 256)
            moved = POSES(bins / 255, self.generator).clamp(0, 1)
            bins = torch.round(moved * 255)
            pixels = (bins + torch.rand(bins.shape, generator=self.generator)) / 256 - 0.5
        return pixels, labels
