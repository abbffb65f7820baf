"""What synthetic data sets of a whole cohort teach a reader, against the originals.

    python benchmarks/central.py DATA [--weights cxr-adult] [--source kermany]
        [--methods gaussian mixture] [--patients 300 1000 0] [--epsilons 1 2 8] [--images 1200]
        [--seeds 1] [--cnn] [--sheet FILE] [--json FILE]

DATA is a folder with manifest.csv. The private cohort are patients of the training split of one
source, 0 patients all of them, under the findings of the manifest; a public flow that never saw
that source draws from what was learnt. A reader that learns on the drawn images and labels is
tested on original images of other patients, the validation and test splits. Noise comes from
seeds, so these sets are not private. Epsilon is that of a patient, replace-one; nothing here was
tuned on the source.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from _harness import Report, parse, parser, progress
from _readers import taught
from _results import Column, Interval
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from latentdp.core import plugins
from latentdp.core.arrays import Images
from latentdp.data.contact_sheet import contact_sheet
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.data.preprocess import unit
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation
from latentdp.synthesis.findings import parse_names
from latentdp.synthesis.head import Head
from latentdp.synthesis.learn import Learner, Learnt, calibrated
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.synthesis.public import PublicModel, thumbnails
from latentdp.synthesis.vectors import PatientImages

Matrix = NDArray[np.float64]

KIND = "synthesis methods"
ORIGINALS = "originals"
NORMAL = "normal"
IMAGES_PER_PATIENT = 4
DELTA = 1e-5
TOGETHER = 64  # patients
SHOWN = 12  # images of a row of the sheet
COLUMNS = (
    Column("method", "{method}"),
    Column("patients", "{patients:,}"),
    Column("epsilon", "{epsilon:g}", missing="infinite"),
    Column("add-remove", "{add_remove:.2f}", missing="infinite"),
    Column("reader", "{reader}"),
    Column("normal or not", "{normal:.3f| to }", bare=True),
    Column("mean of findings", "{findings:.3f}", bare=True),
    Column("the head itself", "{head:.3f}", bare=True),
)


@dataclass(frozen=True)
class Row:
    """What one reader reached.

    Attributes:
        method: Of synthesis, or originals.
        patients: Whose images it was learnt from.
        epsilon: Of a patient, replace-one; None for originals.
        add_remove: The same noise under add-remove; None for originals.
        seed: Of patients and noise.
        reader: ``linear`` or ``cnn``.
        normal: AUC of normal against all else, with the interval over patients.
        findings: Mean AUC of all findings.
        head: AUC of normal of the head that labelled; None for originals.
    """

    method: str
    patients: int
    epsilon: float | None
    add_remove: float | None
    seed: int
    reader: str
    normal: Interval | None
    findings: float
    head: float | None


class Bench:
    """A cohort, and other patients to test readers on.

    Args:
        flow: The public one.
        data: Folder with the manifest.
        source: Of both.
    """

    def __init__(self, flow: Flow, data: Path, source: str) -> None:
        self.flow = flow
        self.public = PublicModel.of(flow)
        train = _read(flow, data, source, ("train",))
        self.images = np.concatenate([unit(part.pixels) for part in train])
        reported = [label for part in train for label in part.reported]
        self.names = tuple(sorted({n for label in reported for n in parse_names(label, "row")}))
        self.findings = _table(reported, self.names)
        self.patients = _numbers([who for part in train for who in part.patients])
        tests = _read(flow, data, source, ("val", "test"))
        self.test = np.concatenate([unit(part.pixels) for part in tests])
        self.truth = _table([x for part in tests for x in part.reported], self.names)
        self.resamples = Resamples(_numbers([who for part in tests for who in part.patients]))

    def cohort(self, patients: int, seed: int) -> NDArray[np.int64]:
        """Numbers of so many patients, drawn at random; of all for 0."""
        everyone = permutation(SeededNoise(seed), int(self.patients.max()) + 1)
        return everyone[: patients or None]

    def learnt(self, method: str, plan: SynthesisPlan, who: Sequence[int], seed: int) -> Learnt:
        """What a method learns of some patients, under seeded noise."""
        make = plugins.load(KIND, method).method
        learner = Learner(make(self.public, len(self.names)), plan, declared=True)
        for start in range(0, len(who), TOGETHER):
            learner.add(self._of(who[start : start + TOGETHER]))
        learnt = learner.release(SeededNoise(seed))
        return replace(learnt, head=calibrated(learnt, self.flow))

    def drawn(self, learnt: Learnt, images: int, seed: int) -> Images:
        """Images at the flow's size."""
        latents = learnt.mixture.draw(SeededNoise(1_000 + seed), images, self.flow.d)
        decoded, valid = self.flow.decode_valid(latents)
        return decoded[valid]

    def aucs(self, scores: Matrix) -> tuple[Interval | None, float]:
        """Of normal, with its interval, and the mean over findings; columns as `names`."""
        everyone = self.resamples.of(np.arange(len(self.truth)))
        of = [auc(scores[:, i], self.truth[:, i], everyone) for i in range(len(self.names))]
        normal = Interval.of(estimate(of[self.names.index(NORMAL)]))
        return normal, float(np.mean([values[0] for values in of]))

    def _of(self, who: Sequence[int]) -> PatientImages:
        """Some patients as methods see them."""
        rows, of = [], []
        for i, patient in enumerate(who):
            own = np.flatnonzero(self.patients == patient)[:IMAGES_PER_PATIENT]
            rows += list(own)
            of += [i] * len(own)
        return PatientImages(
            latents=self._latents[rows],
            thumbnails=self._thumbnails[rows],
            findings=self.findings[rows],
            read=np.ones(len(rows), dtype=np.bool_),
            patients=np.array(of),
        )

    @cached_property
    def _latents(self) -> Matrix:
        tell = progress("cohort")
        parts = []
        for start in range(0, len(self.images), TOGETHER):
            z = self.flow.encode(self.images[start : start + TOGETHER])
            parts.append(z[:, self.flow.levels[0]])
            tell(start / len(self.images), "encoding")
        return np.concatenate(parts)

    @cached_property
    def _thumbnails(self) -> NDArray[np.uint8]:
        return thumbnails(self.images)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a row for each method, size of the cohort, epsilon, seed and reader."""
    options = parse(_parser(), arguments)
    bench = Bench(load_flow(options.weights, exact=False), options.data, options.source)
    readers = ("linear", "cnn") if options.cnn else ("linear",)
    sheet = [bench.images[:: max(1, len(bench.images) // SHOWN)][:SHOWN]]
    facts = {"images": options.images, "delta": DELTA, "test images": len(bench.test)}
    with Report(options, COLUMNS, facts=facts) as report:
        for seed in range(options.seeds):
            for patients in options.patients:
                who = bench.cohort(patients, seed)
                rows = np.isin(bench.patients, who)
                for reader in readers:
                    scores = _read_by(
                        reader, bench, bench.images[rows], bench.findings[rows], seed
                    )
                    normal, findings = bench.aucs(scores)
                    report.add(
                        Row(ORIGINALS, len(who), None, None, seed, reader, normal, findings, None)
                    )
                for epsilon in options.epsilons:
                    for method in options.methods:
                        images = _measured(bench, report, method, who, epsilon, seed, options)
                        sheet.append(images[:SHOWN])
    if options.sheet is not None:
        contact_sheet(options.sheet, sheet, zoom=2)


def _measured(
    bench: Bench,
    report: Report,
    method: str,
    who: Sequence[int],
    epsilon: float,
    seed: int,
    options: argparse.Namespace,
) -> Images:
    """Adds the rows of one synthesis; returns its images."""
    plan = SynthesisPlan.calibrate(epsilon, DELTA, declared=True)
    learnt = bench.learnt(method, plan, who, seed)
    images = bench.drawn(learnt, options.images, seed)
    assert learnt.head is not None
    labels = _labels(learnt.head, images)
    itself, _ = bench.aucs(learnt.head.probabilities(bench.test))
    for reader in ("linear", "cnn") if options.cnn else ("linear",):
        normal, findings = bench.aucs(_read_by(reader, bench, images, labels, seed))
        report.add(
            Row(
                method=method,
                patients=len(who),
                epsilon=epsilon,
                add_remove=plan.guarantee(Relation.ADD_REMOVE).epsilon,
                seed=seed,
                reader=reader,
                normal=normal,
                findings=findings,
                head=None if itself is None else itself.value,
            )
        )
    return images


def _labels(head: Head, images: Images) -> NDArray[np.bool_]:
    """As `latentdp.synthesis.generator.Generator.labels` has them, ``(n, f)``."""
    probabilities = head.probabilities(images)
    shown = probabilities >= 0.5
    shown[np.arange(len(shown)), probabilities.argmax(axis=1)] = True
    return shown


def _read_by(
    reader: str, bench: Bench, images: Images, findings: NDArray[np.bool_], seed: int
) -> Matrix:
    """Scores ``(tests, f)`` of readers, one for each finding, that learn on images and labels."""
    scores = np.zeros((len(bench.test), len(bench.names)))
    for i, shown in enumerate(findings.T):
        if shown.all() or not shown.any():
            continue  # nothing to be learnt: chance
        if reader == "cnn":
            odds = taught(images, shown.astype(np.int64), seed).log_odds(bench.test)
            scores[:, i] = odds[:, 1] - odds[:, 0]
        else:
            linear = LogisticRegression(max_iter=2_000).fit(_flat(images), shown)
            scores[:, i] = linear.decision_function(_flat(bench.test))
    return scores


def _flat(images: Images) -> Matrix:
    return thumbnails(images).reshape(len(images), -1) / 255.0


def _read(flow: Flow, data: Path, source: str, splits: Sequence[str]) -> list[Dataset]:
    return [
        read_dataset(data, s, size=flow.shape[0], conditions=("finding",), sources=(source,))
        for s in splits
    ]


def _table(reported: Sequence[str], names: Sequence[str]) -> NDArray[np.bool_]:
    said = [parse_names(label, "row") for label in reported]
    return np.array([[name in has for name in names] for has in said], dtype=np.bool_)


def _numbers(patients: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(patients, return_inverse=True)[1].astype(np.int64)


def _parser() -> argparse.ArgumentParser:
    options = parser("central", __doc__, data=True)
    options.add_argument(
        "--weights", default="cxr-adult", help="public; they never saw the source"
    )
    options.add_argument("--source", default="kermany")
    options.add_argument("--methods", nargs="*", default=list(plugins.names(KIND)))
    options.add_argument("--patients", nargs="*", type=int, default=[300, 1_000, 0])
    options.add_argument("--epsilons", nargs="*", type=float, default=[1.0, 2.0, 8.0])
    options.add_argument("--images", type=int, default=1_200)
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--cnn", action="store_true", help="the project's reader, too")
    options.add_argument("--sheet", type=Path, help="PNG to write: originals above, drawn below")
    return options


if __name__ == "__main__":
    main()
