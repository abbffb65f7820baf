"""Weights of a flow beside others: likelihood, samples, and what an image costs.

    python benchmarks/flows.py DATA WEIGHTS [WEIGHTS ...] [--source kermany]
        [--condition subtype] [--split val] [--batch 32] [--repeats 7] [--seed 0] [--json FILE]

WEIGHTS are names or files, all of one size and of the same classes; ratios are to the first.
Reported on the split: bits per dimension; of samples at temperature 1 under its labels the Frechet
distance from its originals, on features of the shipped verifier; the AUC of a reader of findings
that learnt on samples alone (under the labels of train), tested on originals; and milliseconds of
processor to encode and to decode an image in float32 and one thread, the flows asked in turn.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from _harness import Report, parse, parser, ratios, side_by_side, spread
from _readers import mean_auc, taught
from _realism import verifier_features
from _results import Column, Interval

from latentdp.core.arrays import Images, Labels
from latentdp.core.process import tune_allocator
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.data.preprocess import unit
from latentdp.evaluation.utility.similarity import frechet
from latentdp.models.device import use_threads
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.flow.glow import GlowConfig
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal

SIZE = 64
PASSES = "encode", "decode"

COLUMNS = (
    Column("weights", "{weights}"),
    Column("steps x widths", "{shape}"),
    Column("bits/dim", "{bits:.3f}"),
    Column("Frechet distance", "{frechet:.3f}"),
    Column("AUC taught", "{auc:.3f}"),
    Column("encode, ms", "{encode:.2f}"),
    Column("decode, ms", "{decode:.2f}"),
    Column("times as fast", "{ratio:.2f}"),
)


@dataclass(frozen=True)
class Row:
    """What a flow is worth and costs.

    Attributes:
        weights: Their name.
        shape: Steps and widths, coarsest level first.
        bits: Per dimension.
        frechet: Distance of samples from originals on the verifier's features.
        auc: On originals, of a reader that learnt on samples.
        encode: Milliseconds of processor an image: median, smallest, largest.
        decode: The same of the way back.
        ratio: Of both together to the first weights in the same round.
    """

    weights: str
    shape: str
    bits: float
    frechet: float
    auc: float
    encode: Interval
    decode: Interval
    ratio: Interval


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table."""
    options = parse(_parser(), arguments)
    use_threads(1)
    tune_allocator()
    flows = {name: load_flow(name) for name in options.weights}
    read = {"size": SIZE, "sources": options.source, "conditions": options.condition}
    train = read_dataset(options.data, "train", **read)
    tried = read_dataset(options.data, options.split, classes=train.classes, **read)
    works: dict[tuple[str, str], Callable[[], object]] = {}
    shown = unit(tried.pixels[: options.batch])
    for name, flow in flows.items():
        works[name, "encode"] = partial(flow.encode, shown)
        works[name, "decode"] = partial(flow.decode, flow.encode(shown))
    seconds = side_by_side(works, options.repeats, time.process_time)
    both = {
        name: [a + b for a, b in zip(*(seconds[name, kind] for kind in PASSES), strict=True)]
        for name in flows
    }
    facts = {"images": len(tried), "batch": len(shown), "split": options.split}
    with Report(options, COLUMNS, facts=facts) as report:
        for name, flow in flows.items():
            frechet_distance, auc = _samples(flow, train, tried, options.seed)
            encode, decode = (
                spread([1000 * s / len(shown) for s in seconds[name, kind]]) for kind in PASSES
            )
            report.add(
                Row(
                    weights=flow.name,
                    shape=_shape(flow._net.config),
                    bits=flow.bits_per_dimension(tried.pixels, tried.labels),
                    frechet=frechet_distance,
                    auc=auc,
                    encode=encode,
                    decode=decode,
                    ratio=ratios(both[name], both[options.weights[0]]),
                )
            )


def _samples(flow: Flow, train: Dataset, tried: Dataset, seed: int) -> tuple[float, float]:
    """Frechet distance of samples, and AUC of a reader that they taught."""
    embed = verifier_features()
    originals = unit(tried.pixels)
    distance = frechet(embed(originals), embed(_sampled(flow, tried.labels, 2 * seed)))
    reader = taught(_sampled(flow, train.labels, 2 * seed + 1), train.labels, seed)
    return distance, mean_auc(reader, originals, tried.labels)


def _sampled(flow: Flow, labels: Labels, seed: int) -> Images:
    """One image under each label; one that is not finite is black."""
    return flow.decode_valid(normal(SeededNoise(seed), (len(labels), flow.d)), labels)[0]


def _shape(config: GlowConfig) -> str:
    parts = zip(config.steps, config.hidden, strict=True)
    return ", ".join(f"{steps} x {width}" for steps, width in parts)


def _parser() -> argparse.ArgumentParser:
    options = parser("flows", __doc__, data=True, seed=True)
    options.add_argument("weights", nargs="+", help="names or files")
    options.add_argument("--source", nargs="+", default=["kermany"])
    options.add_argument("--condition", nargs="+", default=["subtype"])
    options.add_argument("--split", default="val")
    options.add_argument("--batch", type=int, default=32)
    options.add_argument("--repeats", type=int, default=7)
    return options


if __name__ == "__main__":
    main()
