"""The network of a flow for inference alone: what need not be computed again is folded once.

ActNorm and the 1x1 convolution after it are one affine map of channels, and so is their inverse:
each becomes one convolution. Shifts and scales leave the coupling networks one after the other
instead of interleaved, everything lies channels last, and log-determinants that do not depend on
the image are one number. The coupling networks may compute in bfloat16 where the processor does;
the affine maps never do.

Which engine computes a latent changes it by rounding. A guarantee rests on the clip and the noise
that follow, and not on how a latent was computed, so that it is the same under both.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentdp.models.flow.attributes import condition_of
from latentdp.models.flow.glow import LOG_SCALE_CAP, Glow, GlowConfig, LabelledNet, Prior, Step

__all__ = ["Affine", "FrozenGlow", "convolutions_of", "laid_channels_last"]


class Affine(nn.Module):
    """A map of the channels of a pixel as a 1x1 convolution, found by trying it on unit vectors.

    Args:
        function: Affine, of ``(n, c, 1, 1)`` in float64.
        pixel: ``(1, c, 1, 1)`` of zeros, where the function computes.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, function: Callable[[Tensor], Tensor], pixel: Tensor) -> None:
        super().__init__()
        units = torch.eye(pixel.shape[1]).to(pixel)[:, :, None, None]
        out = function(torch.cat([pixel, units]))[:, :, 0, 0]
        self.register_buffer("weight", (out[1:] - out[0]).T.float()[:, :, None, None])
        self.register_buffer("bias", out[0].float())

    @classmethod
    def towards_image(cls, step: Step) -> Self:
        """Mixing and normalisation of a step, as `Step.decode` has them."""
        norm, mix = _in_double(step)
        return cls(lambda z: norm.forward(mix.forward(z)[0])[0], torch.zeros_like(norm.s))

    @classmethod
    def towards_latent(cls, step: Step) -> Self:
        """The inverse of `towards_image`."""
        norm, mix = _in_double(step)
        return cls(lambda x: mix.inverse(norm.inverse(x)[0])[0], torch.zeros_like(norm.s))

    def forward(self, x: Tensor) -> Tensor:
        """Features ``(n, c, h, w)`` to as many."""
        return F.conv2d(x, self.weight, self.bias)


def convolutions_of(
    net: nn.Sequential, dtype: torch.dtype, *, interleaved: bool
) -> Iterator[nn.Conv2d]:
    """Copies of the convolutions of a network, in another type.

    Args:
        net: Of normflows.
        dtype: Of the copies.
        interleaved: Give all even outputs of the last one first, then the odd ones.
    """
    layers = [copy.deepcopy(layer) for layer in net if isinstance(layer, nn.Conv2d)]
    if interleaved:
        order = torch.arange(layers[-1].out_channels).reshape(-1, 2).T.flatten()
        for values in layers[-1].parameters():
            values.data = values.data[order]
    return (layer.to(dtype) for layer in layers)


def laid_channels_last(x: Tensor) -> Tensor:
    """``(n, c, h, w)`` in memory as convolutions like it best."""
    return x.contiguous(memory_format=torch.channels_last)


def _in_double(step: Step) -> tuple[Any, Any]:
    norm, mix = (copy.deepcopy(part).double() for part in (step.norm, step.mix))
    return norm, mix


class _FoldedNet(nn.Module):
    """A `LabelledNet` that gives all its even outputs first, then the odd ones if ``sorted``."""

    label: Tensor

    def __init__(self, net: LabelledNet, dtype: torch.dtype, *, interleaved: bool) -> None:
        super().__init__()
        self.dtype = dtype
        self.first, self.second, self.last = convolutions_of(
            net.net, dtype, interleaved=interleaved
        )
        self.register_buffer("label", net.label.detach().clone())  # summed before it is rounded

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Features ``(n, c, h, w)`` and condition to outputs in the features' type."""
        hidden: Tensor = self.first(x.to(self.dtype))
        shift = (condition @ self.label).to(self.dtype)
        hidden = hidden.add_(shift[:, :, None, None]).relu_()
        out: Tensor = self.last(self.second(hidden).relu_())
        return out.to(x.dtype)


class _FoldedStep(nn.Module):
    """A `Step`, its normalisation and mixing folded in either direction."""

    def __init__(self, step: Step, dtype: torch.dtype) -> None:
        super().__init__()
        self.there, self.back = Affine.towards_latent(step), Affine.towards_image(step)
        norm, mix = _in_double(step)
        pixel = torch.zeros_like(norm.s)
        changes = norm.inverse(pixel)[1], mix.inverse(pixel)[1]
        self.log_det = float(sum(change.sum() for change in changes))  # of one pixel
        self.net = _FoldedNet(step.coupling.param_map, dtype, interleaved=True)

    def encode(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Towards the latent, and the log-determinant ``(n,)``, as `Step.encode`."""
        kept, moved = self.there(x).chunk(2, dim=1)
        shift, scale = self.net(kept, condition).chunk(2, dim=1)
        scale = F.logsigmoid(scale + 2)
        log_det = x.shape[2] * x.shape[3] * self.log_det - scale.sum(dim=(1, 2, 3))
        return torch.cat([kept, (moved - shift).mul_(scale.neg_().exp_())], dim=1), log_det

    def decode(self, z: Tensor, condition: Tensor) -> Tensor:
        """Towards the image, as `Step.decode`."""
        kept, moved = z.chunk(2, dim=1)
        shift, scale = self.net(kept, condition).chunk(2, dim=1)
        moved = torch.addcmul(shift, moved, torch.sigmoid(scale + 2))
        out: Tensor = self.back(torch.cat([kept, moved], dim=1))
        return out


class _FoldedPrior(nn.Module):
    """A `Prior`, which gives its numbers instead of using them."""

    constant: Tensor

    def __init__(self, prior: Prior, dtype: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("constant", prior.constant.detach().clone())
        self.net = None if prior.net is None else _FoldedNet(prior.net, dtype, interleaved=False)

    def forward(self, condition: Tensor, kept: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the scale, ``(n, c, h, w)`` each."""
        parameters = (condition @ self.constant.flatten(1)).reshape(-1, *self.constant.shape[1:])
        if self.net is not None and kept is not None:
            parameters += self.net(kept, condition)
        mean, log_scale = parameters.chunk(2, dim=1)
        return mean, torch.tanh(log_scale / LOG_SCALE_CAP).mul_(LOG_SCALE_CAP)


class FrozenGlow:
    """A `Glow` for inference: the same `encode` and `decode` but for rounding.

    Args:
        net: The network, which is not changed.
        dtype: In which the coupling networks compute.
    """

    def __init__(self, net: Glow, dtype: torch.dtype = torch.float32) -> None:
        self.config: GlowConfig = net.config
        levels = range(len(net.levels))
        with torch.no_grad():
            self.steps = [[_FoldedStep(step, dtype) for step in net.steps_of(i)] for i in levels]
            self.priors = [_FoldedPrior(net.prior_of(i), dtype) for i in levels]
        for part in (*chain.from_iterable(self.steps), *self.priors):
            part.eval().requires_grad_(False)
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, x: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """Image ``(n, 1, h, w)`` to latent ``(n, d)`` and log-determinant, as `Glow.encode`."""
        log_det = x.new_zeros(x.shape[0])
        latents = []
        condition = condition_of(self.config.conditioning, label)
        h = laid_channels_last(F.pixel_unshuffle(x, self.config.first_squeeze))
        for i in reversed(range(len(self.steps))):
            for step in self.steps[i]:
                h, change = step.encode(h, condition)
                log_det += change
            kept, leaving = (None, h) if i == 0 else h.chunk(2, dim=1)
            mean, log_scale = self.priors[i](condition, kept)
            log_det -= log_scale.sum(dim=(1, 2, 3))
            latents.append(((leaving - mean) * torch.exp(-log_scale)).flatten(1))
            if kept is not None:
                h = laid_channels_last(F.pixel_unshuffle(kept, 2))
        return torch.cat(latents[::-1], dim=1), log_det

    def decode(self, z: Tensor, label: Tensor) -> Tensor:
        """Latent ``(n, d)`` to image ``(n, 1, h, w)``, as `Glow.decode`."""
        shapes = self.config.level_shapes
        parts = torch.split(z, [math.prod(shape) for shape in shapes], dim=1)
        condition = condition_of(self.config.conditioning, label)
        h: Tensor | None = None
        for i, (part, shape) in enumerate(zip(parts, shapes, strict=True)):
            kept = None if h is None else laid_channels_last(F.pixel_shuffle(h, 2))
            mean, log_scale = self.priors[i](condition, kept)
            leaving = torch.addcmul(mean, part.reshape(-1, *shape), log_scale.exp_())
            h = laid_channels_last(leaving if kept is None else torch.cat([kept, leaving], dim=1))
            for step in reversed(self.steps[i]):
                h = step.decode(h, condition)
        assert h is not None
        return F.pixel_shuffle(h, self.config.first_squeeze)
