"""Do private images look like originals? Without detail, with drawn detail, and drawn anew.

    python benchmarks/refiner.py DATA [--weights cxr-findings] [--refined WEIGHTS]
        [--preset balanced] [--source nih128 nih] [--images 800] [--seed 0] [--split test]
        [--steps 400] [--sheet FILE] [--json FILE]

Private images of WEIGHTS, enlarged smoothly, and by their refiner without its deblocking filter
and with it, beside the originals of the same patients, which are at least 128 pixels large. With
`--refined` WEIGHTS draw detail by other networks, which are compared with its refiner.
Columns: the Frechet distance of features of `cxr-verifier-64` to
originals of others (half of the patients against the other half; the first row is of originals),
the AUC at which a fresh network that learnt on images of train tells private from original at 64
and 128 pixels, and a logistic reader of steps between neighbours by their position (modulo 8; the
same without a sixteenth of the picture at each edge; modulo 2 to 16), of power in bands of
frequency, of sharpness and of grey levels at 256 pixels, on patients that it has not seen; 95 %
intervals over patients; and seconds of CPU for each image.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _harness import Report, parse, parser
from _labels import given_labels
from _realism import told_by_networks, verifier_features
from _results import Column, Interval
from _simple_readers import STATISTICS, area, rounded
from numpy.typing import NDArray

from latentdp.core.arrays import Images, evenly
from latentdp.data.contact_sheet import contact_sheet
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.data.preprocess import shrink, unit
from latentdp.evaluation.utility.similarity import frechet
from latentdp.models.flow.flow import load_flow
from latentdp.models.super_resolution.cascade import SuperResolutionCascade
from latentdp.privacy.noise import SeededNoise
from latentdp.privatizer.privatizer import Privatizer
from latentdp.recipe.recipe import Recipe

Way = Callable[[Images], Images]

FULL = 256  # pixels
TOGETHER = 32
SHOWN = 64
COLUMNS = (
    Column("images", "{way}"),
    Column("Frechet distance", "{frechet:.3f}"),
    Column("reader, 64 px", "{reader_64:.3f}"),
    Column("reader, 128 px", "{reader_128:.3f}"),
    *(Column(f"{name.replace('_', ', ')}, 256 px", f"{{{name}:.3f}}") for name in STATISTICS),
    Column("CPU s", "{seconds:.3f}"),
)


@dataclass(frozen=True)
class Row:
    """One way of enlarging."""

    way: str
    frechet: float
    reader_64: Interval | None
    reader_128: Interval | None
    grid: Interval | None
    grid_inside: Interval | None
    periodicity: Interval | None
    spectrum: Interval | None
    sharpness: Interval | None
    histogram: Interval | None
    seconds: float


@dataclass(frozen=True, eq=False)
class Side:
    """Images of one split.

    Attributes:
        patients: ``(n,)``, counted from 0.
        originals: ``(n, 128, 128)``.
        sharp: Which of them are there at `FULL`, and those ``(m, 256, 256)``.
        private: ``(n, 64, 64)``.
    """

    patients: NDArray[np.int64]
    originals: Images
    sharp: tuple[NDArray[np.int64], Images]
    private: Images


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table; writes a sheet."""
    options = parse(_parser(), arguments)
    flow, refined = load_flow(options.weights), load_flow(options.refined or options.weights)
    with_grid = SuperResolutionCascade([*refined.cascade.by_size.values()])
    ways: dict[str, Way] = {
        "smooth": lambda x: flow.cascade.enlarge(x, FULL, SeededNoise(0), detail=False),
        "refined, with its grid": lambda x: with_grid.enlarge(x, FULL, SeededNoise(0)),
        "refined": lambda x: refined.cascade.enlarge(x, FULL, SeededNoise(0)),
    }
    if options.refined:
        ways["drawn detail"] = lambda x: flow.cascade.enlarge(x, FULL, SeededNoise(0))
    train, test = (_side(options, split) for split in ("train", options.split))
    with Report(options, COLUMNS, intro=f"{options.weights}, {options.preset}") as report:
        embed = verifier_features()
        half = test.patients % 2 == 0
        other = embed(shrink(test.originals[~half], 64))
        report.add(_of_originals(frechet(embed(shrink(test.originals[half], 64)), other)))
        shown = [test.sharp[1][:SHOWN]]
        for name, way in ways.items():
            began = time.process_time()
            images = _enlarged(way, test.private)
            seconds = (time.process_time() - began) / len(images)
            near = frechet(embed(shrink(images[half], 64)), other)
            report.add(_row(name, way, train, test, images, near, seconds, options))
            shown.append(images[test.sharp[0]][:SHOWN])
        if options.sheet:
            contact_sheet(options.sheet, [row[:8] for row in shown])


def _side(options: argparse.Namespace, split: str) -> Side:
    def read(size: int) -> Dataset:
        return read_dataset(options.data, split, size=size, sources=options.source, enlarge=False)

    data, large = read(128), read(FULL)
    chosen = evenly(len(data), options.images)
    where = {file: i for i, file in enumerate(np.array(data.files)[chosen])}
    there = [i for i, file in enumerate(large.files) if file in where]
    originals = unit(data.pixels[chosen])
    flow = load_flow(options.weights)
    labels = given_labels(flow, [*where], options, split)
    privatizer = Privatizer(flow, Recipe.from_preset(options.preset), SeededNoise(options.seed))
    small = shrink(originals, 64)
    private = [
        privatizer(small[i : i + 64], labels=labels[i : i + 64]).images
        for i in range(0, len(small), 64)
    ]
    return Side(
        patients=np.unique(np.array(data.patients)[chosen], return_inverse=True)[1],
        originals=originals,
        sharp=(
            np.array([where[large.files[i]] for i in there], dtype=np.int64),
            unit(large.pixels[there]),
        ),
        private=np.concatenate(private),
    )


def _row(
    name: str,
    way: Way,
    train: Side,
    test: Side,
    images: Images,
    near: float,
    seconds: float,
    options: argparse.Namespace,
) -> Row:
    learnt = _enlarged(way, train.private)

    def network(size: int) -> Interval | None:
        """Learns on train; as `latentdp evaluate` does, at a size."""
        return told_by_networks(
            (shrink(train.originals, size), shrink(shrink(learnt, 128), size)),
            (shrink(test.originals, size), shrink(shrink(images, 128), size)),
            test.patients,
            steps=options.steps,
            seed=options.seed,
        )

    shown, whose = images[test.sharp[0]], test.patients[test.sharp[0]]
    return Row(
        way=name,
        frechet=near,
        reader_64=network(64),
        reader_128=network(128),
        seconds=seconds,
        **{
            name: area(numbers_of, *map(rounded, (test.sharp[1], shown)), whose, options.seed)
            for name, numbers_of in STATISTICS.items()
        },
    )


def _of_originals(near: float) -> Row:
    return Row("originals of others", near, *[None] * (2 + len(STATISTICS)), 0.0)


def _enlarged(way: Way, images: Images) -> Images:
    parts = range(0, len(images), TOGETHER)
    return np.concatenate([way(images[i : i + TOGETHER]) for i in parts])


def _parser() -> argparse.ArgumentParser:
    options = parser("refiner", __doc__, data=True, seed=True)
    options.add_argument("--weights", default="cxr-findings")
    options.add_argument("--refined", help="weights with a refiner, if the others have none")
    options.add_argument("--preset", default="balanced")
    options.add_argument("--source", nargs="*", default=["nih128", "nih"])
    options.add_argument("--images", type=int, default=800, help="of a split, at most")
    options.add_argument("--steps", type=int, default=400, help="of the readers")
    options.add_argument("--split", default="test")
    options.add_argument("--sheet", type=Path, help="PNG")
    return options


if __name__ == "__main__":
    main()
