"""Encoding, decoding and training steps of the flow beside other implementations, in one run.

    python benchmarks/engine.py [--weights cxr-paediatric] [--batch 32] [--repeats 5] [--threads 1]
        [--no-cadp] [--json FILE]

Needs the extra ``peers`` (FrEIA). All contenders are asked in turn, round by round, so that what
else the machine does falls on all of them; the ratio of a round is to plain normflows in the same
round, and median, smallest and largest of the rounds are reported.

*normflows* and *FrEIA* have our steps and widths on each level, and get images whose blocks of 4x4
pixels are channels already, as our network makes them: what is compared is the engine, not the
architecture. Neither knows labels or conditional priors, which ours computes besides. *CADP* is
the architecture of Toelle et al. 2022 at its 128 pixels, which is another amount of work: 4 levels
of 4 two-sided couplings with networks of 128 channels, and 4 dense blocks of 1,024. Of the peak:
multiply-adds of the convolutions against the best that a large convolution reached in this run.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import FrEIA.framework as Ff
import FrEIA.modules as Fm
import normflows as nf
import numpy as np
import torch
from torch import Tensor, nn

from latentdp.models.checkpoints import load
from latentdp.models.device import computes_bfloat16, tune_allocator, use_threads
from latentdp.models.flow.flow import load_flow
from latentdp.models.flow.fused_glow import FrozenGlow
from latentdp.models.flow.glow import Glow, GlowConfig

BASE = "normflows, as it comes"
CADP = "CADP's architecture, 128 pixels"
PEAK = 256  # channels of the convolution that shows the peak


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


def main() -> None:
    """Runs everything and prints the table."""
    options = _parser().parse_args()
    use_threads(options.threads)
    tune_allocator()
    torch.manual_seed(0)
    contenders = made(options.weights, options.batch, cadp=not options.no_cadp)
    works = {f"{name}|{kind}": work for name, c in contenders.items() for kind, work in _works(c)}
    works["peak|"] = _peak(options.batch)
    seconds: dict[str, list[float]] = {key: [] for key in works}
    for turn in range(options.repeats + 1):
        for key, work in works.items():
            began = time.perf_counter()
            work()
            if turn:  # the first warms up
                seconds[key].append(time.perf_counter() - began)
    peak = _peak_operations(options.batch) / min(seconds.pop("peak|")) / 1e9
    operations = _operations(load_flow(load(options.weights))._net.config)
    table(seconds, options.batch, peak, operations)
    if options.json:
        facts = {"seconds": seconds, "batch": options.batch, "peak_gflops": peak}
        options.json.write_text(json.dumps(facts | {"gflop_an_image": operations / 1e9}, indent=2))


def table(seconds: dict[str, list[float]], batch: int, peak: float, operations: float) -> None:
    """Images per second, and ratios to plain normflows."""
    print(f"batch {batch}, {torch.get_num_threads()} threads; ", end="")
    print(f"peak of a convolution: {peak:.0f} GFLOP/s; ", end="")
    print(f"one pass of ours: {operations / 1e9:.2f} GFLOP an image")
    print("\n| engine | work | images/s | of normflows | smallest | largest | of the peak |")
    print("|---|---|---|---|---|---|---|")
    for key, times in seconds.items():
        name, kind = key.split("|")
        base = np.array(seconds[f"{BASE}|{kind}"])
        ratios = base / np.array(times)
        rate = batch / float(np.median(times))
        work = operations * (3 if kind == "train" else 1)
        other = name == CADP or "bfloat16" in name  # another network, another peak
        share = "-" if other else f"{rate * work / peak / 1e9:.0%}"
        cells = f"{np.median(ratios):.2f} | {ratios.min():.2f} | {ratios.max():.2f} | {share}"
        print(f"| {name} | {kind} | {rate:.1f} | {cells} |")


def made(weights: str, batch: int, *, cadp: bool) -> dict[str, Contender]:
    """All contenders by name."""
    flow = load_flow(load(weights))
    net, config = flow._net, flow._net.config
    label = torch.arange(batch) % (len(config.classes) + 1)
    z = torch.randn(batch, flow.d)
    with torch.inference_mode():
        x = net.decode(z, label).clamp(-0.5, 0.5)
    frozen = FrozenGlow(net)
    found = {
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
        found["ours, frozen, bfloat16"] = Contender(
            lambda x: low.encode(x, label), lambda z: low.decode(z, label), x, z
        )
    if cadp:
        found[CADP] = _cadp(batch)
    return found


def _works(one: Contender) -> list[tuple[str, Callable[[], object]]]:
    def encode() -> None:
        with torch.inference_mode():
            one.encode(one.images)

    def decode() -> None:
        with torch.inference_mode():
            one.decode(one.latents)

    works: list[tuple[str, Callable[[], object]]] = [("encode", encode), ("decode", decode)]
    if one.net is not None:
        works.append(("train", _training(one.net, one.images)))
    return works


def _training(net: nn.Module, images: Tensor) -> Callable[[], object]:
    """One step of Adam on the likelihood of the images."""
    optimiser = torch.optim.Adam(net.parameters(), 1e-4)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        loss: Tensor = -net(images).mean()
        loss.backward()
        optimiser.step()

    return step


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
        made: tuple[Tensor, Tensor] = self.chain(x, rev=rev)
        return made


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


def _operations(config: GlowConfig) -> float:
    """Floating-point operations of one pass of an image through our coupling networks."""
    total = 0.0
    for i, ((channels, h, w), steps, hidden) in enumerate(
        zip(config.level_shapes, config.steps, config.hidden, strict=True)
    ):
        inside = channels if i == 0 else 2 * channels
        net = 9 * (inside // 2) * hidden + hidden * hidden + 9 * hidden * inside + inside**2
        total += 2.0 * h * w * steps * net
    return total


def _peak(batch: int) -> Callable[[], object]:
    conv = nn.Conv2d(PEAK, PEAK, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.rand(batch, PEAK, 16, 16).contiguous(memory_format=torch.channels_last)

    def work() -> None:
        with torch.inference_mode():
            conv(x)

    return work


def _peak_operations(batch: int) -> float:
    return 2.0 * batch * math.prod((PEAK, PEAK, 9, 16, 16))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="cxr-paediatric")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--no-cadp", action="store_true", help="it takes 3.5 GB to train")
    parser.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    main()
