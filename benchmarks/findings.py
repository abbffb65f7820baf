"""What released findings of adults teach and what is read of them, finding by finding.

    python benchmarks/findings.py DATA [--weights cxr-findings] [--preset balanced]
        [--source nih128 nih] [--findings NAME ...] [--steps 300] [--seeds 2] [--split test]
        [--json FILE]

DATA is a folder with manifest.csv. Images of train and of the split are released at the size that
the weights make, with the findings that are named, by default those that the preset releases. A
reader for each finding learns on originals with their labels (o) or on private images with the
released ones (p), and is tested on originals, with the labels of the manifest. Columns: for the
images that the manifest says something of, AUC taught on originals and taught on private images,
the difference (the same resampled patients), and of a reader taught on originals, read on private
images with the released labels, with 95 % intervals over patients, of the readers' mean score; how
often a released label is the true one; and *where*: of images with the finding, the correlation of
what a reader taught on originals looks at (maps of occlusion) in the private image with what it
looks at in the original, and in another patient's original with the finding. The last row is the
mean of all findings.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from _correlation import row_correlations
from _harness import Report, parse, parser
from _occlusion import occlusion_maps
from _results import Column, Interval
from numpy.typing import NDArray

from latentdp import Privatizer, Recipe
from latentdp.core.arrays import UNKNOWN, Images
from latentdp.core.attributes import PRESENT, values_of
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.data.preprocess import unit
from latentdp.metrics.bootstrap import Resamples, auc, estimate, mean
from latentdp.models.flow.flow import load_flow
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier
from latentdp.models.training.training_data import told
from latentdp.privacy.noise import SeededNoise

TOGETHER = 256  # images that are released at a time
COLUMNS = (
    Column("finding", "{finding}"),
    Column("test images with it, of", "{present} of {images}"),
    Column("taught on originals", "{oo:.3f}"),
    Column("taught on private images", "{po:.3f}"),
    Column("private less originals", "{gain:+.3f| to }"),
    Column("private images read", "{op:.3f}"),
    Column("released truly", "{truth:.3f}"),
    Column("where, own / stranger's", "{where:.2f} / {where_of_stranger.value:.2f}"),
)
MEAN = "mean"
Values = NDArray[np.int64]
Figures = NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """One split, and the same as it is released.

    Attributes:
        data: Originals.
        images: The same ``(n, size, size)`` in [0, 1].
        values: ``(n, attributes)`` as the manifest has them.
        private: Released images, of the same shape.
        released: ``(n, attributes)`` as they are released.
    """

    data: Dataset
    images: Images
    values: Values
    private: Images
    released: Values


@dataclass(frozen=True)
class Row:
    """One finding, or the mean of all.

    Attributes:
        finding: Its name.
        present, images: Test images that show it, and that something is known of.
        oo, po, op: AUC: taught on originals, taught on private images, private images read.
        gain: What private images teach more than originals.
        truth: Share of released labels that are true.
        where, where_of_stranger: Mean correlation of maps with the original's and a stranger's.
    """

    finding: str
    present: int
    images: int
    oo: Interval | None
    po: Interval | None
    gain: Interval | None
    op: Interval | None
    truth: float
    where: Interval | None
    where_of_stranger: Interval | None


@dataclass(frozen=True)
class Resampled:
    """The same of a finding, of the data (first) and of resamples of its patients, ``(r,)``."""

    finding: str
    present: int
    images: int
    truth: float
    oo: Figures
    po: Figures
    op: Figures
    where: Figures
    where_of_stranger: Figures


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table."""
    options = parse(_parser(), arguments)
    recipe = Recipe.from_preset(options.preset, release_findings=tuple(options.findings))
    privatizer = Privatizer(load_flow(options.weights), recipe, SeededNoise(0))
    released = privatizer.recipe.release_findings
    intro = f"{options.split}; {options.weights}, {options.preset}: {privatizer.guarantee}"
    with Report(options, COLUMNS, intro=intro) as report:
        train, test = (_side(privatizer, options, split) for split in ("train", options.split))
        found: list[Resampled] = []
        for i, attribute in enumerate(privatizer.flow.attributes):
            if attribute.name in released and attribute.is_finding:
                found.append(_measured(attribute.name, i, train, test, options))
                report.add(_row(found[-1:], attribute.name))
        report.add(_row(found, MEAN))


def _side(privatizer: Privatizer, options: argparse.Namespace, split: str) -> Side:
    flow = privatizer.flow
    source = read_dataset(options.data, split, size=flow.shape[0], sources=options.source)
    data = told(source, flow.attributes)
    images, n = unit(data.pixels), len(data)
    drawn = privatizer.with_noise(SeededNoise(1 + (split == "train")))
    parts = [
        drawn.from_latents(drawn.encode(images[i : i + TOGETHER], labels), labels)
        for i in range(0, n, TOGETHER)
        for labels in [data.labels[i : i + TOGETHER]]
    ]
    return Side(
        data=data,
        images=images,
        values=values_of(flow.attributes, data.labels),
        private=np.concatenate([part.images for part in parts]),
        released=values_of(flow.attributes, np.concatenate([part.labels for part in parts])),
    )


def _measured(
    name: str, column: int, train: Side, test: Side, options: argparse.Namespace
) -> Resampled:
    shown = test.values[:, column]
    known = np.flatnonzero(shown != UNKNOWN)
    present = np.flatnonzero(shown == PRESENT)
    patients = np.unique(test.data.patients, return_inverse=True)[1]
    resamples = Resamples(patients, 500, 0)
    of_originals = _taught(train.images, train.values[:, column], options)
    of_private = _taught(train.private, train.released[:, column], options)

    def area(readers: Sequence[FindingClassifier], images: Images, found: Values) -> Figures:
        scores = _score(readers, images[known])
        return auc(scores, found[known] == PRESENT, resamples.of(known))

    def maps(images: Images) -> Figures:
        score = partial(_score, of_originals)
        return occlusion_maps(score, images[present]).reshape(len(present), -1)

    def likeness(others: Figures) -> Figures:
        return mean(row_correlations(seen, others), resamples.of(present))

    seen, originals = maps(test.private), maps(test.images)
    return Resampled(
        finding=name,
        present=len(present),
        images=len(known),
        truth=float((test.released[known, column] == shown[known]).mean()),
        oo=area(of_originals, test.images, shown),
        po=area(of_private, test.images, shown),
        op=area(of_originals, test.private, test.released[:, column]),
        where=likeness(originals),
        where_of_stranger=likeness(originals[_strangers(patients[present])]),
    )


def _score(readers: Sequence[FindingClassifier], images: Images) -> Figures:
    """Mean log-odds ``(n,)`` of a finding."""
    return np.asarray(np.mean([reader.log_odds(images)[:, 1] for reader in readers], axis=0))


def _strangers(patients: Values) -> Values:
    """For each row the next one of another patient, from the first again after the last."""
    order = np.arange(len(patients))
    return np.array(
        [next((j for j in np.roll(order, -i) if patients[j] != patients[i]), i) for i in order]
    )


def _row(found: Sequence[Resampled], name: str) -> Row:
    """The mean of findings."""

    def interval(*fields: str) -> Interval | None:
        """Of the first, less the second."""
        plus, *minus = (
            np.mean([getattr(one, field) for one in found], axis=0) for field in fields
        )
        return Interval.of(estimate(plus - minus[0] if minus else plus))

    return Row(
        finding=name,
        present=sum(one.present for one in found),
        images=max(one.images for one in found),
        oo=interval("oo"),
        po=interval("po"),
        gain=interval("po", "oo"),
        op=interval("op"),
        truth=float(np.mean([one.truth for one in found])),
        where=interval("where"),
        where_of_stranger=interval("where_of_stranger"),
    )


def _taught(images: Images, shown: Values, options: argparse.Namespace) -> list[FindingClassifier]:
    """Readers of one finding, by seed; images of which it is unknown are left out."""
    known = shown != UNKNOWN
    return [
        FindingClassifier.fit(
            images[known][None],
            shown[known][None],
            2,
            ClassifierConfig(steps=options.steps, seed=seed),
        )
        for seed in range(options.seeds)
    ]


def _parser() -> argparse.ArgumentParser:
    options = parser("findings", __doc__, data=True)
    options.add_argument("--weights", default="cxr-findings")
    options.add_argument("--preset", default="balanced")
    options.add_argument("--source", nargs="*", default=["nih128", "nih"])
    options.add_argument("--findings", nargs="*", default=[])
    options.add_argument("--steps", type=int, default=300, help="of each reader")
    options.add_argument("--seeds", type=int, default=2, help="readers of each kind")
    options.add_argument("--split", default="test")
    return options


if __name__ == "__main__":
    main()
