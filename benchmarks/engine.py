"""Encoding, decoding and training steps of the flow beside other implementations, in one run.

    python benchmarks/engine.py [--weights cxr-paediatric] [--batch 32] [--repeats 5] [--threads 1]
        [--no-cadp] [--processor] [--json FILE]

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
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from _harness import Report, parse, parser, ratios, side_by_side, spread
from _peers import BASE, CADP, Contender, contenders
from _results import Column, Interval
from torch import Tensor, nn

from latentdp.core.process import tune_allocator
from latentdp.models.checkpoints import load
from latentdp.models.device import use_threads
from latentdp.models.flow.flow import load_flow
from latentdp.models.flow.glow import GlowConfig

PEAK = "a large convolution", "alone"  # what shows the peak, beside engines and works
CHANNELS = 256  # of it

COLUMNS = (
    Column("engine", "{engine}"),
    Column("work", "{work}"),
    Column("images/s", "{rate:.1f}"),
    Column("of normflows", "{ratio.value:.2f}"),
    Column("smallest", "{ratio.low:.2f}"),
    Column("largest", "{ratio.high:.2f}"),
    Column("of the peak", "{share:.0%}"),
)


@dataclass(frozen=True)
class Row:
    """One work of one engine.

    Attributes:
        engine: Whose.
        work: ``encode``, ``decode`` or ``train``.
        rate: Images per second, in the median round.
        ratio: To plain normflows in the same round: median, smallest, largest.
        share: Of the peak, in [0, 1]; None for another network or another arithmetic.
        seconds: Of each round.
    """

    engine: str
    work: str
    rate: float
    ratio: Interval
    share: float | None
    seconds: tuple[float, ...]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything and prints the table."""
    options = parse(_parser(), arguments)
    use_threads(options.threads)
    tune_allocator()
    torch.manual_seed(0)
    engines = contenders(options.weights, options.batch, cadp=not options.no_cadp)
    works = {
        (name, kind): work for name, one in engines.items() for kind, work in _works(one).items()
    }
    clock = time.process_time if options.processor else time.perf_counter
    seconds = side_by_side(works | {PEAK: _peak(options.batch)}, options.repeats, clock)
    peak = _peak_operations(options.batch) / min(seconds.pop(PEAK))
    operations = _operations(load_flow(load(options.weights))._net.config)
    intro = (
        f"batch {options.batch}, {torch.get_num_threads()} threads; "
        f"peak of a convolution: {peak / 1e9:.0f} GFLOP/s; "
        f"one pass of ours: {operations / 1e9:.2f} GFLOP an image"
    )
    facts = {
        "batch": options.batch,
        f"GFLOP/s of {PEAK[0]}": peak / 1e9,
        "GFLOP of one pass of an image": operations / 1e9,
    }
    with Report(options, COLUMNS, intro=intro, facts=facts) as report:
        report.extend(rows(seconds, options.batch, operations / peak))


def rows(
    seconds: Mapping[tuple[str, str], tuple[float, ...]], batch: int, fastest: float
) -> Iterator[Row]:
    """Images per second, and ratios to plain normflows.

    Args:
        seconds: Of each round, by engine and work.
        batch: Images that each worked on.
        fastest: Seconds that one pass of an image takes at the peak.
    """
    for (engine, work), times in seconds.items():
        rate = batch / spread(times).value
        passes = 3 if work == "train" else 1
        other = engine == CADP or "bfloat16" in engine  # another network, another peak
        share = None if other else rate * passes * fastest
        yield Row(engine, work, rate, ratios(times, seconds[BASE, work]), share, times)


def _works(one: Contender) -> dict[str, Callable[[], object]]:
    def encode() -> None:
        with torch.inference_mode():
            one.encode(one.images)

    def decode() -> None:
        with torch.inference_mode():
            one.decode(one.latents)

    works: dict[str, Callable[[], object]] = {"encode": encode, "decode": decode}
    if one.net is not None:
        works["train"] = _training(one.net, one.images)
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
    conv = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.rand(batch, CHANNELS, 16, 16).contiguous(memory_format=torch.channels_last)

    def work() -> None:
        with torch.inference_mode():
            conv(x)

    return work


def _peak_operations(batch: int) -> float:
    return 2.0 * batch * math.prod((CHANNELS, CHANNELS, 9, 16, 16))


def _parser() -> argparse.ArgumentParser:
    options = parser("engine", __doc__, threads=True)
    options.add_argument("--weights", default="cxr-paediatric")
    options.add_argument("--batch", type=int, default=32)
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument(
        "--processor", action="store_true", help="seconds of it: where others use the machine"
    )
    options.add_argument("--no-cadp", action="store_true", help="it takes 3.5 GB to train")
    return options


if __name__ == "__main__":
    main()
