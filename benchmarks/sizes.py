"""Private images at every size they are released in, beside originals of that size.

    python benchmarks/sizes.py DATA [--weights cxr-adult] [--source nih] [--sizes 64 128 256 512]
        [--preset balanced] [--steps 200] [--seed 0] [--split test] [--sheet FOLDER]

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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentdp import Privatizer
from latentdp.core.arrays import Images, Labels
from latentdp.data.contact_sheet import contact_sheet
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.data.preprocess import resize
from latentdp.evaluation.utility.similarity import frechet
from latentdp.metrics.bootstrap import Estimate, Resamples, auc, estimate
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


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table for each size; writes sheets."""
    options = _parser().parse_args(arguments)
    privatizer = Privatizer.load(options.weights, preset=options.preset)
    head = (
        "| size | release | images | Frechet | finest octave, dB | largest gap, dB | o/p | p/o |"
    )
    print(f"{options.split}; {options.weights}, {options.preset}\n\n{head}\n" + "|---" * 8 + "|")
    for size in options.sizes:
        train, test = (
            side(privatizer, size, split, options) for split in ("train", options.split)
        )
        for line in rows(size, train, test, options):
            print(line, flush=True)
        if options.sheet:
            options.sheet.mkdir(parents=True, exist_ok=True)
            shown = [test.images, *test.releases.values()]
            contact_sheet(options.sheet / f"{size}.png", [images[:SHOWN] for images in shown])


def side(privatizer: Privatizer, size: int, split: str, options: argparse.Namespace) -> Side:
    """Reads a split and releases it."""
    flow, noise = privatizer.flow, SeededNoise(options.seed + (split == "train"))
    how = {"conditions": flow.provenance.conditions, "sources": options.source}
    data = read_dataset(options.data, split, size=size, classes=flow.classes, enlarge=False, **how)
    images = data.pixels.astype(np.float32) / np.float32(255)
    side = flow.shape[0]
    small = np.stack([resize(image, (side, side)) for image in images]).astype(np.float32)
    made = Privatizer(flow, privatizer.recipe, noise)
    release = made(small, labels=data.labels)
    climb = flow.cascade.enlarge
    releases = {
        "detail on originals": climb(small, size, noise),
        "private": climb(release.images, size, noise),
    }
    if size > side:
        releases["private, no detail"] = climb(release.images, size, noise, detail=False)
    told = _findings(release.labels, data, flow.classes)
    return Side(
        data, images, releases, {k: told if "private" in k else data.findings for k in releases}
    )


def rows(size: int, train: Side, test: Side, options: argparse.Namespace) -> list[str]:
    """Lines of the table."""
    reader = taught(train.data, train.images, train.data.findings, options)
    resamples = Resamples(np.unique(test.data.patients, return_inverse=True)[1], 500, options.seed)
    seen, real = reader.features(test.images), octaves(test.images)

    def cells(name: str, images: Images, told: str, learnt: FindingClassifier | None) -> str:
        power = octaves(images)
        op = _area(reader, images, test, resamples) if len(images) == len(test.images) else None
        po = None if learnt is None else _area(learnt, test.images, test, resamples)
        distance = frechet(seen, reader.features(images))
        gap = np.abs(power - real).max()
        numbers = f"{distance:.2f} | {power[-1]:.1f} | {gap:.1f} | {_cell(op)} | {_cell(po)}"
        return f"| {size} | {name} | {told} | {numbers} |"

    found = [
        cells("originals", test.images, str(len(test.images)), reader),
        cells("other originals", train.images, str(len(train.images)), None),
    ]
    for name, images in test.releases.items():
        learnt = taught(train.data, train.releases[name], train.labels[name], options)
        found.append(cells(name, images, str(len(images)), learnt))
    return found


def taught(
    data: Dataset, images: Images, findings: Labels, options: argparse.Namespace
) -> FindingClassifier:
    """A reader of findings; images without one are left out."""
    known, size = findings >= 0, images.shape[-1]
    course = ClassifierConfig(
        steps=options.steps,
        batch=max(8, min(64, BATCH_PIXELS // size**2)),
        widths=(16, 32, 64, 128) if size <= 128 else (8, 16, 32, 64, 128),
        seed=options.seed,
    )
    classes = len(data.finding_names)
    return FindingClassifier.fit(images[known][None], findings[known][None], classes, course)


def _findings(labels: Labels, data: Dataset, classes: tuple[str, ...]) -> Labels:
    """What released classes say of the finding: their part that names one."""
    index = {name: i for i, name in enumerate(data.finding_names)}
    of = [next((index[part] for part in name.split("/") if part in index), -1) for name in classes]
    return np.where(labels >= 0, np.array([*of, -1])[labels], data.findings)


def _area(
    reader: FindingClassifier, images: Images, test: Side, resamples: Resamples
) -> Estimate | None:
    known, normal = test.data.findings >= 0, test.data.finding_names.index(NORMAL)
    odds = reader.log_odds(images)[known, normal]
    strata = np.unique(test.data.views, return_inverse=True)[1].astype(np.int64)[known]
    return estimate(
        auc(odds, test.data.findings[known] == normal, resamples.images(known), strata)
    )


def _cell(found: Estimate | None) -> str:
    return "-" if found is None else f"{found.value:.3f} ({found.low:.3f}-{found.high:.3f})"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", default="cxr-adult")
    parser.add_argument("--source", nargs="+", default=["nih"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[64, 128, 256, 512])
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--steps", type=int, default=200, help="of a reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--sheet", type=Path, help="folder for pictures to look at")
    return parser


if __name__ == "__main__":
    main()
