"""CADP's table repeated, beside what the label alone gives.

    python benchmarks/cadp_protocol.py DATA [--seeds 3] [--epsilons 0.5 ...] [--method NAME ...]
        [--state FOLDER] [--json FILE] [--patients N]

DATA is a folder with manifest.csv. Toelle et al. 2022, arXiv 2207.14625: classifiers are taught on
private training images under their released labels and tested on ORIGINAL images; the accuracy
hardly depends on epsilon, which the paper takes for utility. Its program releases the label
exactly and, by a matrix norm over the batch, shrinks the latents until nearly nothing but noise is
left. So the rows to look at are the controls, which have seen no image:

- label alone, CADP's noise: the published program with all latents at zero
- label alone, prior sample: a fresh sample of the flow under the true label, at the temperature
  of our presets, 0.8, and at that of CADP corrected, 1
- label alone, mean picture: of the training images of the true label

Only a row above all of these has kept anything of an image that serves the task. Each row is also
given as its distance from the first of them, on the same test patients. What is kept of an image
is told by the correlation of latents: of an original and its own private image, beside that with
the private image of another original with the same label.

What differs from the paper: 64 x 64 pixels instead of 128, another flow, conditioned on three
labels (normal, bacterial, viral), classifiers in evaluation mode, several seeds, intervals over
patients. Its X-ray accuracies are not printed anywhere, only the mean gap to DP-SGD, +0.165.

With --state an interrupted command goes on where it was. --patients N takes about N patients of
each split: a trial, and no result.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _cadp import ALONE, EPSILONS, Taught, as_printed, taught_on, two_findings
from _correlation import latent_correlations
from _harness import Report, parse, parser, state_folder
from _privatized import Privatized, privatized
from _results import Column, Interval, Value
from numpy.typing import NDArray

from latentdp.core.arrays import evenly
from latentdp.evaluation.datasets import GROUNDS, BenchmarkDataset, ground
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.threat_model import Effort, PairedImages, ThreatModel
from latentdp.evaluation.utility.classification import Classification
from latentdp.metrics.bootstrap import Resamples, auc, estimate, mean
from latentdp.models.networks.classifier_cache import ClassifierCache
from latentdp.privacy.rounding import printed

COMPARED = 500  # training images whose latents are compared, at most

COLUMNS = (
    Column("taught on", "{name}"),
    Column("true epsilon of an image", "{guarantee}"),
    Column("accuracy p/o", "{accuracy:.3f| to }"),
    Column("above the label alone", "{accuracy_above:+.3f| to }"),
    Column("AUC p/o", "{auc:.3f| to }"),
    Column("above the label alone", "{auc_above:+.3f| to }"),
    Column("correlation of latents: own image", "{own.value:.3f}"),
    Column("another's", "{other.value:.3f}"),
)

Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Row:
    """What readers made of a method's images; intervals over patients.

    Attributes:
        name: Of what they learnt on.
        title: Of its method.
        epsilon: As its authors count it.
        guarantee: Epsilon of a whole image, and what it does not cover.
        accuracy: On test originals.
        accuracy_above: Its distance from that of the label alone.
        auc: Of "abnormal", on test originals.
        auc_above: Its distance from that of the label alone.
        own: Correlation of the latents of an original and its private image.
        other: Of an original and the private image of another with the same label.
        difference: Of the two.
        accuracy_by_seed: Of each reader.
        auc_by_seed: The same.
    """

    name: str
    title: str
    epsilon: float | None
    guarantee: str
    accuracy: Interval | None
    accuracy_above: Interval | None
    auc: Interval | None
    auc_above: Interval | None
    own: Interval | None
    other: Interval | None
    difference: Interval | None
    accuracy_by_seed: tuple[float, ...]
    auc_by_seed: tuple[float, ...]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table and writes its JSON."""
    options = parse(_parser(), arguments)
    place = two_findings(ground("findings", options.data, options.weights, limit=options.patients))
    rows = taught_on(place.weights, options.epsilons)
    unknown = set(options.method) - {row.name for row in rows}
    if unknown:
        names = ", ".join(row.name for row in rows)
        raise SystemExit(f"no row {min(unknown)!r}; there are: {names}")
    facts = about(place, options)
    with (
        state_folder(options.state) as state,
        Report(options, COLUMNS, intro=_heading(facts), facts=facts) as report,
    ):
        examination = CadpProtocol(place, state, options.seeds, options.steps)
        for row in rows:
            if not options.method or row.name in (*options.method, ALONE):
                report.add(examination.of(row))
        report.say(
            "\nIn brackets: 95 % intervals over patients. Seeds differ besides: with few of them, "
            "two rows that know the label alone can differ by more."
        )
        report.say(as_printed())


class CadpProtocol:
    """Teaches on private images and tests on the same originals, row after row.

    Args:
        place: Its test split is what is tested on.
        state: Folder to keep readers and private images in.
        seeds: Readers of each row.
        steps: Of each, as `Effort.steps`: a quarter of the most that there can be.
    """

    def __init__(self, place: BenchmarkDataset, state: Path, seeds: int, steps: int) -> None:
        self.place, self.state, self.seeds = place, state, seeds
        self.classifiers = ClassifierCache(state / "readers")
        self.effort = Effort(steps=steps)
        test = place.test
        self.weights = Resamples(test.patients).images(np.ones(len(test), dtype=np.bool_))
        self.abnormal = test.findings == 0
        self.alone: dict[str, Matrix] = {}

    def of(self, row: Taught) -> Row:
        """Teaches as many readers as there are seeds."""
        release = privatized(row.method, self.place, self.state, splits=("train",))
        train, test = release.sides["train"], self.place.test
        scene = ThreatModel(
            target=PairedImages(cohort=test, private=test.images[None], labels=test.labels[None]),
            practice=train,
            effort=self.effort,
            classifiers=self.classifiers,
        )
        odds = np.stack([self._odds(row, scene, seed) for seed in range(self.seeds)])
        right = (odds > 0) == self.abnormal
        resampled = {
            "accuracy": mean(right.mean(axis=0), self.weights),
            "auc": np.mean([auc(o, self.abnormal, self.weights) for o in odds], axis=0),
        }
        above = {
            name: _interval(values - self.alone[name]) if self.alone else None
            for name, values in resampled.items()
        }
        if row.name == ALONE:
            self.alone = resampled
        return Row(
            name=row.name,
            title=row.method.title,
            epsilon=row.epsilon,
            guarantee=_guarantee(row.method),
            accuracy=_interval(resampled["accuracy"]),
            accuracy_above=above["accuracy"],
            auc=_interval(resampled["auc"]),
            auc_above=above["auc"],
            **self._correlations(release),
            accuracy_by_seed=tuple(round(float(x), 4) for x in right.mean(axis=1)),
            auc_by_seed=tuple(
                round(float(auc(o, self.abnormal, self.weights[:1])[0]), 4) for o in odds
            ),
        )

    def _odds(self, row: Taught, scene: ThreatModel, seed: int) -> Matrix:
        """Log odds ``(n,)`` of "abnormal" of the test originals."""
        began = time.monotonic()
        reader = Classification().classifier(scene, private=True, seed=seed)
        odds = reader.log_odds(self.place.test.images)[:, 0]
        print(
            f"{row.name}, seed {seed + 1} of {self.seeds}: accuracy "
            f"{((odds > 0) == self.abnormal).mean():.3f}, {time.monotonic() - began:.0f} s",
            file=sys.stderr,
            flush=True,
        )
        return odds

    def _correlations(self, release: Privatized) -> dict[str, Interval | None]:
        """Of original and private latents, of one image and of two with the same label."""
        side = release.sides["train"]
        rows = evenly(len(side.cohort), COMPARED)
        cohort = side.cohort.take(rows)

        def correlate() -> dict[str, list[float]]:
            flow = self.place.weights.flow
            both = latent_correlations(flow, cohort, side.private[0, rows], side.labels[0, rows])
            return {k: v.tolist() for k, v in both.items()}

        kept = release.notes.values("correlation", correlate)
        weights = Resamples(cohort.patients).images(np.ones(len(rows), dtype=np.bool_))
        values = {k: mean(np.array(v), weights) for k, v in kept.items()}
        values["difference"] = values["own"] - values["other"]
        return {k: _interval(v) for k, v in values.items()}


def about(place: BenchmarkDataset, options: argparse.Namespace) -> dict[str, Value]:
    """What holds for all rows."""
    counts = np.bincount(place.test.findings, minlength=2)
    facts: dict[str, Value] = {
        "size": int(place.test.images.shape[-1]),
        "seeds": options.seeds,
        "steps": options.steps,
        "share of the larger class": float(counts.max() / counts.sum()),
    }
    for split in ("train", "test"):
        cohort = getattr(place, split)
        facts[f"images of {split}"] = len(cohort)
        facts[f"patients of {split}"] = len(np.unique(cohort.patients))
        facts[f"normal of {split}"] = int((cohort.findings == 1).sum())
    return facts


def _interval(values: Matrix) -> Interval | None:
    return Interval.of(estimate(values))


def _guarantee(method: Method) -> str:
    """Epsilon of a whole release, and of its noised part if that is not all."""
    if method.guarantee is None:
        return "none"
    noised = printed(method.guarantee.noised_part.epsilon, 3)
    return noised if method.protects_all else f"infinite; of the noised part alone {noised}"


def _heading(facts: dict[str, Value]) -> str:
    lines = [
        f"CADP's protocol at {facts['size']} x {facts['size']} pixels, {facts['seeds']} seeds"
    ]
    for split, words in (("train", "taught on"), ("test", "tested on originals:")):
        images, patients, normal = (
            facts[f"{what} of {split}"] for what in ("images", "patients", "normal")
        )
        lines.append(f"{words} {images:,} images of {patients:,} patients, {normal:,} normal")
    lines[-1] += f"; always the larger class: accuracy {facts['share of the larger class']:.3f}"
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    options = parser("cadp_protocol", __doc__, data=True, state="optional")
    options.add_argument("--method", nargs="+", default=(), help="rows of the table; default all")
    options.add_argument("--epsilons", nargs="+", type=float, default=EPSILONS)
    options.add_argument("--weights", default=GROUNDS["findings"])
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument(
        "--steps", type=int, default=Effort().steps, help="of a reader, as in compare"
    )
    options.add_argument("--patients", type=int, default=0, help="of each split; 0 for all")
    return options


if __name__ == "__main__":
    main()
