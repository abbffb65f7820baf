"""Flows that the engine is compared with: our own network, normflows, FrEIA and CADP's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import FrEIA.framework as Ff
import FrEIA.modules as Fm
import normflows as nf
import torch
from torch import Tensor, nn

from latentdp.models.checkpoints import load
from latentdp.models.device import computes_bfloat16
from latentdp.models.flow.flow import load_flow
from latentdp.models.flow.fused_glow import FrozenGlow
from latentdp.models.flow.glow import Glow, GlowConfig

__all__ = ["BASE", "CADP", "Contender", "contenders"]

BASE = "normflows, as it comes"
CADP = "CADP's architecture, 128 pixels"


@dataclass(frozen=True)
class Contender:
    """What takes part.

    Attributes:
        encode: Images to latents and log-determinants.
        decode: Latents to images.
        images: For `encode`.
        latents: For `decode`.
        net: To be trained; None if it is for inference alone.
    """

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    images: Tensor
    latents: Any
    net: nn.Module | None = None


def contenders(weights: str, batch: int, *, cadp: bool) -> dict[str, Contender]:
    """All contenders by name."""
    flow = load_flow(load(weights))
    net, config = flow._net, flow._net.config
    label = torch.arange(batch) % (len(config.classes) + 1)
    z = torch.randn(batch, flow.d)
    with torch.inference_mode():
        x = net.decode(z, label).clamp(-0.5, 0.5)
    frozen = FrozenGlow(net)
    every = {
        BASE: _normflows(config, x),
        "FrEIA, AllInOneBlock": _freia(config, x),
        "ours, for training": Contender(
            lambda x: net.encode(x, label),
            lambda z: net.decode(z, label),
            x,
            z,
            _Labelled(config),
        ),
        "ours, frozen": Contender(
            lambda x: frozen.encode(x, label), lambda z: frozen.decode(z, label), x, z
        ),
    }
    if computes_bfloat16():
        low = FrozenGlow(net, torch.bfloat16)
        every["ours, frozen, bfloat16"] = Contender(
            lambda x: low.encode(x, label), lambda z: low.decode(z, label), x, z
        )
    if cadp:
        every[CADP] = _cadp(batch)
    return every


class _Labelled(nn.Module):
    """Ours, with labels, as it is trained."""

    def __init__(self, config: GlowConfig) -> None:
        super().__init__()
        self.glow = Glow(config).to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        labels = torch.arange(len(images)) % (len(self.glow.config.classes) + 1)
        return self.glow(images, labels)


class _Levels(nn.Module):
    """Levels of any kind: what is common to the multi-scale flows of others, finest first."""

    def __init__(self, config: GlowConfig, level: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.squeeze = config.first_squeeze
        self.levels = nn.ModuleList()
        for i in reversed(range(len(config.steps))):  # ours begin with the coarsest
            channels, size, _ = config.level_shapes[i]
            inside = channels * (1 if i == 0 else 2)
            self.levels.append(level(inside, size, config.steps[i], config.hidden[i]))

    def encode(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        h = nn.functional.pixel_unshuffle(x, self.squeeze)
        parts, log_det = [], x.new_zeros(len(x))
        for i, level in enumerate(self.levels):
            h, change = level(h)
            log_det = log_det + change
            if i < len(self.levels) - 1:
                h, leaving = h.chunk(2, dim=1)
                parts.append(leaving)
                h = nn.functional.pixel_unshuffle(h, 2)
        return [*parts, h], log_det

    def decode(self, parts: list[Tensor]) -> Tensor:
        h = parts[-1]
        for i in reversed(range(len(self.levels))):
            if i < len(self.levels) - 1:
                h = torch.cat([nn.functional.pixel_shuffle(h, 2), parts[i]], dim=1)
            h = self.levels[i](h, rev=True)[0]
        return nn.functional.pixel_shuffle(h, self.squeeze)

    def forward(self, x: Tensor) -> Tensor:
        parts, log_det = self.encode(x)
        return log_det - sum(0.5 * part.square().sum(dim=(1, 2, 3)) for part in parts)


class _NormflowsLevel(nn.Module):
    def __init__(self, channels: int, size: int, steps: int, hidden: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nf.flows.GlowBlock(channels, hidden, scale_map="sigmoid_inv") for _ in range(steps)
        )

    def forward(self, x: Tensor, rev: bool = False) -> tuple[Tensor, Tensor]:
        total = x.new_zeros(len(x))
        for block in self.blocks if rev else reversed(self.blocks):
            x, change = block.forward(x) if rev else block.inverse(x)
            total = total + change
        return x, total


class _FrEIALevel(nn.Module):
    def __init__(self, channels: int, size: int, steps: int, hidden: int) -> None:
        super().__init__()
        self.chain = Ff.SequenceINN(channels, size, size)
        for _ in range(steps):
            self.chain.append(
                Fm.AllInOneBlock,
                subnet_constructor=lambda a, b: _network(a, b, hidden),
                permute_soft=True,
            )

    def forward(self, x: Tensor, rev: bool = False) -> tuple[Tensor, Tensor]:
        changed: tuple[Tensor, Tensor] = self.chain(x, rev=rev)
        return changed


def _network(inputs: int, outputs: int, hidden: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, hidden, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(hidden, hidden, 1),
        nn.ReLU(),
        nn.Conv2d(hidden, outputs, 3, padding=1),
    )


def _normflows(config: GlowConfig, x: Tensor) -> Contender:
    return _peer(_Levels(config, _NormflowsLevel), x)


def _freia(config: GlowConfig, x: Tensor) -> Contender:
    return _peer(_Levels(config, _FrEIALevel), x)


def _peer(net: _Levels, x: Tensor) -> Contender:
    with torch.inference_mode():
        latents = net.encode(x)[0]  # it also initialises what takes its scale from data
    return Contender(net.encode, net.decode, x, latents, net)


class _Cadp(nn.Module):
    """Convolutional levels and dense blocks, as the published configuration has them."""

    def __init__(self) -> None:
        super().__init__()
        nodes = [Ff.InputNode(1, 128, 128, name="input")]
        nodes.append(Ff.Node(nodes[-1], Fm.IRevNetDownsampling, {}))
        for level in range(4):
            for _ in range(4):
                more = {"subnet_constructor": lambda a, b: _cadp_network(a, b), "clamp": 1.0}
                nodes.append(Ff.Node(nodes[-1], Fm.GLOWCouplingBlock, more))
            if level < 3:
                nodes.append(Ff.Node(nodes[-1], Fm.IRevNetDownsampling, {}))
        nodes.append(Ff.Node(nodes[-1], Fm.Flatten, {}))
        for _ in range(4):
            more = {"subnet_constructor": _dense, "clamp": 1.0}
            nodes.append(Ff.Node(nodes[-1], Fm.GLOWCouplingBlock, more))
        nodes.append(Ff.OutputNode(nodes[-1]))
        self.net = Ff.GraphINN(nodes)

    def forward(self, x: Tensor) -> Tensor:
        z, log_det = self.net(x)
        return log_det - 0.5 * z.square().sum(dim=1)


def _cadp_network(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, 128, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(128, 128, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(128, outputs, 3, padding=1),
    )


def _dense(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, 1024), nn.ReLU(), nn.Linear(1024, outputs))


def _cadp(batch: int) -> Contender:
    net = _Cadp()
    x = torch.rand(batch, 1, 128, 128) - 0.5
    with torch.inference_mode():
        z = net.net(x)[0]
    return Contender(net.net, lambda z: net.net(z, rev=True), x, z, net)
