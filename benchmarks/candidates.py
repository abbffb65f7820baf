"""What choosing among candidates, and weights of another training, are worth.

    python benchmarks/candidates.py DATA [--weights cxr-findings] [--counts 1 4 8 16]
        [--before WEIGHTS] [--counts-before 8] [--preset balanced] [--source nih128 nih]
        [--images 800] [--readers 2] [--steps 400] [--seed 0] [--split val] [--json FILE]

Private images of WEIGHTS at 64 pixels, their labels released as the preset does, of which one of
so many is kept, beside originals of the same patients; with `--before` also those of other
weights. Columns: the Frechet distance of features of `cxr-verifier-64` to originals of others
(half of the patients against the other half; the first row is of originals), the AUC at which
fresh networks that learnt on images of train, so many together, tell private from original, that
of a logistic reader of the verifier's features, both with a 95 % interval over patients, and
seconds of CPU for each image.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from _harness import Report, parse, parser
from _labels import given_labels
from _realism import told_by_features, told_by_networks, verifier_features
from _results import Column, Interval
from numpy.typing import NDArray

from latentdp.core.arrays import Images, Labels, evenly
from latentdp.data.dataset import read_dataset
from latentdp.data.preprocess import unit
from latentdp.evaluation.utility.similarity import frechet
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.privacy.noise import SeededNoise
from latentdp.privatizer.privatizer import Privatizer
from latentdp.recipe.recipe import Recipe

SIZE = 64  # pixels
TOGETHER = 32
COLUMNS = (
    Column("images", "{way}"),
    Column("Frechet distance", "{frechet:.3f}"),
    Column("reader", "{reader:.3f}"),
    Column("of features", "{features:.3f}"),
    Column("CPU s", "{seconds:.3f}"),
)


@dataclass(frozen=True)
class Row:
    """One number of candidates, by one flow and critic."""

    way: str
    frechet: float
    reader: Interval | None
    features: Interval | None
    seconds: float


@dataclass(frozen=True, eq=False)
class Side:
    """Originals of one split.

    Attributes:
        split: Its name.
        files: Of the images.
        originals: ``(n, 64, 64)``.
        patients: ``(n,)`` whose they are, counted from 0.
    """

    split: str
    files: tuple[str, ...]
    originals: Images
    patients: NDArray[np.int64]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table."""
    options = parse(_parser(), arguments)
    train, tested = (_side(options, split) for split in ("train", options.split))
    ways = {f"one of {n}": (options.weights, n) for n in options.counts}
    if options.before:
        counts = options.counts_before
        ways = {f"before: one of {n}": (options.before, n) for n in counts} | ways
    flows = {name: load_flow(name, exact=False) for name in {name for name, _ in ways.values()}}
    labels = {
        (name, side.split): given_labels(flow, side.files, options, side.split)
        for name, flow in flows.items()
        for side in (train, tested)
    }
    embed = verifier_features()
    half = tested.patients % 2 == 0

    def apart(images: Images) -> float:
        return frechet(embed(images[half]), embed(tested.originals[~half]))

    with Report(options, COLUMNS, intro=f"{options.weights}, {options.preset}") as report:
        report.add(Row("originals of others", apart(tested.originals), None, None, 0.0))
        for name, (weights, count) in ways.items():
            (learnt, _), (images, seconds) = (
                _private(flows[weights], labels[weights, side.split], count, side, options, i)
                for i, side in enumerate((train, tested))
            )
            told = told_by_networks(
                (train.originals, learnt),
                (tested.originals, images),
                tested.patients,
                readers=options.readers,
                steps=options.steps,
                seed=options.seed,
            )
            by_features = told_by_features(
                embed, tested.originals, images, tested.patients, seed=options.seed
            )
            report.add(Row(name, apart(images), told, by_features, seconds))


def _side(options: argparse.Namespace, split: str) -> Side:
    data = read_dataset(options.data, split, size=SIZE, sources=options.source)
    chosen = evenly(len(data), options.images)
    people = np.unique(np.array(data.patients)[chosen], return_inverse=True)[1]
    files = tuple(np.array(data.files)[chosen])
    return Side(split=split, files=files, originals=unit(data.pixels[chosen]), patients=people)


def _private(
    flow: Flow, labels: Labels, count: int, side: Side, options: argparse.Namespace, part: int
) -> tuple[Images, float]:
    """Private images ``(n, 64, 64)``, and seconds of CPU for each."""
    recipe = replace(Recipe.from_preset(options.preset), candidates=count)
    privatizer = Privatizer(flow, recipe, SeededNoise(2 * options.seed + part))
    began = time.process_time()
    parts = [
        privatizer(side.originals[i : i + TOGETHER], labels=labels[i : i + TOGETHER]).images
        for i in range(0, len(side.originals), TOGETHER)
    ]
    return np.concatenate(parts), (time.process_time() - began) / len(side.originals)


def _parser() -> argparse.ArgumentParser:
    options = parser("candidates", __doc__, data=True, seed=True)
    options.add_argument("--weights", default="cxr-findings")
    options.add_argument("--before", help="other weights")
    options.add_argument("--counts-before", nargs="+", type=int, default=[8], help="of theirs")
    options.add_argument("--preset", default="balanced")
    options.add_argument("--source", nargs="*", default=["nih128", "nih"])
    options.add_argument("--counts", nargs="+", type=int, default=[1, 4, 8, 16])
    options.add_argument("--images", type=int, default=800, help="of a split, at most")
    options.add_argument("--readers", type=int, default=2, help="networks whose sum is taken")
    options.add_argument("--steps", type=int, default=400, help="of each")
    options.add_argument("--split", default="val")
    return options


if __name__ == "__main__":
    main()
