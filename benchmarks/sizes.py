"""Private images at every size they are released in, beside originals of that size.

    python benchmarks/sizes.py DATA [--weights cxr-adult] [--source nih] [--sizes 64 128 256 512]
        [--preset balanced] [--steps 200] [--seed 0] [--split test] [--sheet FOLDER]
        [--json FILE]

DATA is a folder with manifest.csv; only pictures that are at least as large as a size count for
it. Rows: other originals (the training ones: what a distance of nothing looks like), detail drawn
on originals that were reduced to what the weights make, private images with drawn detail, and
private images enlarged smoothly. Columns: Frechet distance from originals on features of a
reader of findings taught on originals of that size; decibels of the finest octave, and the
largest gap of any octave to originals; and the AUC of normal or not of readers taught on originals
and tested on the row (o/p) and the reverse (p/o), with 95 % intervals over patients.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _harness import Report, parse, parser
from _results import Column, Interval

from latentdp import Privatizer
from latentdp.core.arrays import Images, Labels
from latentdp.data.contact_sheet import contact_sheet
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.data.preprocess import shrink, unit
from latentdp.evaluation.utility.similarity import frechet
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.spectrum import octaves
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier
from latentdp.privacy.noise import SeededNoise

SHOWN = 6
NORMAL = "normal"  # what readers of a release tell from all else
BATCH_PIXELS = 64 * 64 * 64  # of a step of a reader: fewer images where they are larger


@dataclass(frozen=True)
class Side:
    """Images of one split in one size, and the same as a release has them.

    Attributes:
        data: Originals.
        images: The same ``(n, size, size)`` in [0, 1].
        releases: By name, each of the same shape.
        labels: By name, findings as the release tells them.
    """

    data: Dataset
    images: Images
    releases: dict[str, Images]
    labels: dict[str, Labels]


COLUMNS = (
    Column("size", "{size}"),
    Column("release", "{release}"),
    Column("images", "{images}"),
    Column("Frechet", "{frechet:.2f}"),
    Column("finest octave, dB", "{finest:.1f}"),
    Column("largest gap, dB", "{gap:.1f}"),
    Column("o/p", "{op:.3f}"),
    Column("p/o", "{po:.3f}"),
)


@dataclass(frozen=True)
class Row:
    """A release of one size beside originals of that size.

    Attributes:
        size: Pixels on a side.
        release: What it is.
        images: How many.
        frechet: Distance from originals on a reader's features.
        finest: Power of the finest octave in dB.
        gap: Largest of any octave to originals, in dB.
        op: AUC of normal or not, taught on originals, read on the release.
        po: The reverse.
    """

    size: int
    release: str
    images: int
    frechet: float
    finest: float
    gap: float
    op: Interval | None
    po: Interval | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table; writes sheets."""
    options = parse(_parser(), arguments)
    privatizer = Privatizer.load(options.weights, preset=options.preset)
    intro = f"{options.split}; {options.weights}, {options.preset}"
    with Report(options, COLUMNS, intro=intro) as report:
        for size in options.sizes:
            train, test = (
                side(privatizer, size, split, options) for split in ("train", options.split)
            )
            for row in rows(size, train, test, options):
                report.add(row)
            if options.sheet:
                options.sheet.mkdir(parents=True, exist_ok=True)
                shown = [test.images, *test.releases.values()]
                contact_sheet(options.sheet / f"{size}.png", [x[:SHOWN] for x in shown])


def side(privatizer: Privatizer, size: int, split: str, options: argparse.Namespace) -> Side:
    """Reads a split and releases it."""
    flow, noise = privatizer.flow, SeededNoise(options.seed + (split == "train"))
    how = {"conditions": flow.provenance.conditions, "sources": options.source}
    data = read_dataset(options.data, split, size=size, classes=flow.classes, enlarge=False, **how)
    images = unit(data.pixels)
    small = shrink(images, flow.shape[0])
    release = Privatizer(flow, privatizer.recipe, noise)(small, labels=data.labels)
    climb = flow.cascade.enlarge
    releases = {
        "detail on originals": climb(small, size, noise),
        "private": climb(release.images, size, noise),
    }
    if size > flow.shape[0]:
        releases["private, no detail"] = climb(release.images, size, noise, detail=False)
    released = _findings(release.labels, data, flow.classes)
    labels = {name: released if "private" in name else data.findings for name in releases}
    return Side(data, images, releases, labels)


def rows(size: int, train: Side, test: Side, options: argparse.Namespace) -> Iterator[Row]:
    """Originals, others, then the releases."""
    reader = taught(train.data, train.images, train.data.findings, options)
    resamples = Resamples(np.unique(test.data.patients, return_inverse=True)[1], 500, options.seed)
    seen, real = reader.features(test.images), octaves(test.images)

    def row(release: str, images: Images, learnt: FindingClassifier | None) -> Row:
        power = octaves(images)
        alike = len(images) == len(test.images)
        return Row(
            size=size,
            release=release,
            images=len(images),
            frechet=frechet(seen, reader.features(images)),
            finest=float(power[-1]),
            gap=float(np.abs(power - real).max()),
            op=_area(reader, images, test, resamples) if alike else None,
            po=None if learnt is None else _area(learnt, test.images, test, resamples),
        )

    yield row("originals", test.images, reader)
    yield row("other originals", train.images, None)
    for name, images in test.releases.items():
        learnt = taught(train.data, train.releases[name], train.labels[name], options)
        yield row(name, images, learnt)


def taught(
    data: Dataset, images: Images, findings: Labels, options: argparse.Namespace
) -> FindingClassifier:
    """A reader of findings; images without one are left out."""
    known, size = findings >= 0, images.shape[-1]
    config = ClassifierConfig(
        steps=options.steps,
        batch=max(8, min(64, BATCH_PIXELS // size**2)),
        widths=(16, 32, 64, 128) if size <= 128 else (8, 16, 32, 64, 128),
        seed=options.seed,
    )
    classes = len(data.finding_names)
    return FindingClassifier.fit(images[known][None], findings[known][None], classes, config)


def _findings(labels: Labels, data: Dataset, classes: tuple[str, ...]) -> Labels:
    """What released classes say of the finding: their part that names one."""
    index = {name: i for i, name in enumerate(data.finding_names)}
    of = [next((index[part] for part in name.split("/") if part in index), -1) for name in classes]
    return np.where(labels >= 0, np.array([*of, -1])[labels], data.findings)


def _area(
    reader: FindingClassifier, images: Images, test: Side, resamples: Resamples
) -> Interval | None:
    known, normal = test.data.findings >= 0, test.data.finding_names.index(NORMAL)
    odds = reader.log_odds(images)[known, normal]
    strata = np.unique(test.data.views, return_inverse=True)[1].astype(np.int64)[known]
    truth, weights = test.data.findings[known] == normal, resamples.images(known)
    return Interval.of(estimate(auc(odds, truth, weights, strata)))


def _parser() -> argparse.ArgumentParser:
    options = parser("sizes", __doc__, data=True, seed=True)
    options.add_argument("--weights", default="cxr-adult")
    options.add_argument("--source", nargs="+", default=["nih"])
    options.add_argument("--sizes", nargs="+", type=int, default=[64, 128, 256, 512])
    options.add_argument("--preset", default="balanced")
    options.add_argument("--steps", type=int, default=200, help="of a reader")
    options.add_argument("--split", choices=("val", "test"), default="test")
    options.add_argument("--sheet", type=Path, help="folder for pictures to look at")
    return options


if __name__ == "__main__":
    main()
