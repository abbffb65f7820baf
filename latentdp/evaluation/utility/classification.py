"""Can a classifier still learn findings from private images, and be used on them?

Four settings, named as learnt on / tested on: o/o, o/p, p/o and p/p, o for originals and p for
private images. The classifier is one small network everywhere, taught from scratch with several
seeds. What is learnt on originals does not depend on the method, and is learnt once for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Labels
from latentdp.core.progress import ProgressCallback
from latentdp.data.cohort import Cohort
from latentdp.evaluation.threat_model import PairedImages, ThreatModel
from latentdp.evaluation.utility.base import Utility
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.definitions.prediction import GAP
from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.linkage import widened
from latentdp.metrics.metric import Metric
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier
from latentdp.reports.results import Measure

__all__ = ["Classification", "readable", "utility"]

Matrix = NDArray[np.float64]

FEWEST = 10  # images of each finding on either side
FEWEST_OF_GROUP = 5  # the same in a subgroup
BATCH = 64
EPOCHS = 15


class Classification(Utility):
    """AUC per finding, their mean, and gaps between subgroups."""

    name = "classification"
    title = "AUC of classifiers of findings, taught and tested on original and private images"

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """Without two findings to tell apart."""
        return readable(scene)

    def measure(self, scene: ThreatModel, tell: ProgressCallback) -> list[Measure]:
        """All four settings; subgroups where the classifier meets originals."""
        tested = _of_mixed_sources(scene.target)
        seeds = max(1, scene.effort.seeds)
        truth = tested.cohort.findings
        names = tested.cohort.finding_names
        jobs = [(kind, seed) for kind in "op" for seed in range(seeds)]
        odds: dict[str, list[Matrix]] = {}
        for i, (kind, seed) in enumerate(jobs):
            tell(
                i / len(jobs),
                f"teaching a classifier on {'originals' if kind == 'o' else 'private'}",
            )
            classifier = self.classifier(scene, private=kind == "p", seed=seed)
            for other, images in (("o", tested.cohort.images), ("p", tested.private[0])):
                odds.setdefault(f"{kind}/{other}", []).append(classifier.log_odds(images))
        sample = _Sample(tested.cohort, truth, scene.effort.resamples, scene.seed)
        note = _known_findings(_of_mixed_sources(scene.practice))[1]
        measures: list[Measure] = []
        for setting, several in odds.items():
            detail = {"learnt_with": note if setting.startswith("p") else "true findings"}
            measures += self._findings(setting, several, sample, names, detail)
        for setting in ("o/o", "p/o"):
            measures += self._subgroups(setting, odds[setting], sample)
        return measures

    def classifier(self, scene: ThreatModel, *, private: bool, seed: int = 0) -> FindingClassifier:
        """A classifier taught on the practice side, or found among those of the scene."""
        side = _of_mixed_sources(scene.practice)
        findings = side.cohort.findings
        if private:
            images, labels = side.private, _known_findings(side)[0]
        else:
            images, labels = side.cohort.images[None], findings[None]
        most = scene.effort.reader_steps
        steps = min(most, max(most // 8, EPOCHS * len(findings) // BATCH))
        classes = len(side.cohort.finding_names)
        settings = ClassifierConfig(steps=steps, seed=seed)
        return scene.classifiers.classifier(images, labels, classes, settings)

    def _findings(
        self,
        setting: str,
        several: list[Matrix],
        sample: _Sample,
        names: tuple[str, ...],
        detail: dict[str, str],
    ) -> list[Measure]:
        measures, everyone = [], np.ones(len(sample.truth), dtype=np.bool_)
        areas_by_finding = []
        for finding in _told_apart(names):
            areas = sample.areas(several, finding, everyone)
            areas_by_finding.append(areas)
            measures.append(self._measure(setting, names[finding], AUC, areas, sample, detail))
        mean = np.mean(areas_by_finding, axis=0)
        measures.append(self._measure(setting, "mean", AUC, mean, sample, detail, headline=True))
        return [measure for measure in measures if measure is not None]

    def _subgroups(self, setting: str, several: list[Matrix], sample: _Sample) -> list[Measure]:
        measures: list[Measure | None] = []
        largest: tuple[float, str, Matrix] | None = None
        findings = _told_apart(sample.cohort.finding_names)
        for groups in _groups(sample.cohort):
            seen: dict[str, Matrix] = {}
            for name, rows in groups.items():
                if not sample.enough(rows):
                    continue
                seen[name] = np.mean([sample.areas(several, f, rows) for f in findings], axis=0)
                measures.append(self._measure(setting, name, AUC, seen[name], sample, {}, rows))
            ranked = sorted(seen, key=lambda name: -float(seen[name][0].mean()))
            if len(ranked) < 2:
                continue
            gap = seen[ranked[0]] - seen[ranked[-1]]
            if largest is None or gap[:, 0].mean() > largest[0]:
                largest = float(gap[:, 0].mean()), f"{ranked[0]} - {ranked[-1]}", gap
        if largest is not None:
            detail = {"note": "the largest of several gaps: by luck alone it is above 0"}
            measures.append(self._measure(setting, largest[1], GAP, largest[2], sample, detail))
        return [measure for measure in measures if measure is not None]

    def _measure(
        self,
        setting: str,
        subject: str,
        metric: Metric,
        areas: Matrix,
        sample: _Sample,
        detail: dict[str, str],
        rows: NDArray[np.bool_] | None = None,
        *,
        headline: bool = False,
    ) -> Measure | None:
        """From AUCs ``(seeds, 1 + resamples)``: their mean over seeds; None if there is none."""
        values = estimate(areas.mean(axis=0))
        if values is None:
            return None
        rows = np.ones(len(sample.truth), dtype=np.bool_) if rows is None else rows
        patients = len(np.unique(sample.cohort.patients[rows]))
        if metric is AUC:  # all right on few patients is no proof
            values = widened(values, patients)
        return Measure.of(
            values,
            utility=self.name,
            setting=setting,
            subject=subject,
            metric=metric,
            n=int(rows.sum()),
            patients=patients,
            headline=headline,
            detail={"seeds": [round(float(x), 4) for x in areas[:, 0]], **detail},
        )


@dataclass(frozen=True)
class _Sample:
    """Whom classifiers are tested on."""

    cohort: Cohort
    truth: Labels
    resamples: int
    seed: int

    def areas(self, several: list[Matrix], finding: int, rows: NDArray[np.bool_]) -> Matrix:
        """AUCs ``(seeds, 1 + resamples)`` of one finding against the rest, within sources."""
        weights = Resamples(self.cohort.patients, self.resamples, self.seed).images(rows)
        strata = np.unique(self.cohort.sources, return_inverse=True)[1].astype(np.int64)[rows]
        positive = self.truth[rows] == finding
        return np.stack([auc(odds[rows, finding], positive, weights, strata) for odds in several])

    def enough(self, rows: NDArray[np.bool_]) -> bool:
        """Whether a subgroup is worth a number."""
        counts = np.bincount(self.truth[rows], minlength=len(self.cohort.finding_names))
        return bool(counts.min() >= FEWEST_OF_GROUP)


def readable(scene: ThreatModel) -> str | None:
    """Why findings cannot be read in a scene; None if they can."""
    for name, side in (("practice", scene.practice), ("target", scene.target)):
        kept = _mixed(side.cohort)
        counts = np.bincount(side.cohort.findings[kept], minlength=len(side.cohort.finding_names))
        if len(counts) < 2 or counts.min() < FEWEST:
            return f"fewer than 2 findings with {FEWEST} {name} images each, from one source"
    if scene.practice.cohort.finding_names != scene.target.cohort.finding_names:
        return "practice and target have other findings"
    return None


def _mixed(cohort: Cohort) -> NDArray[np.bool_]:
    """Images with a finding, of sources that have several: elsewhere the source tells it."""
    kept = cohort.findings >= 0
    for source in np.unique(cohort.sources):
        mine = cohort.sources == source
        if len(np.unique(cohort.findings[mine & kept])) < 2:
            kept = kept & ~mine
    return np.asarray(kept)


def _of_mixed_sources(side: PairedImages) -> PairedImages:
    kept = _mixed(side.cohort)
    return PairedImages(
        cohort=side.cohort.take(kept), private=side.private[:, kept], labels=side.labels[:, kept]
    )


def _known_findings(side: PairedImages) -> tuple[Labels, str]:
    """Findings ``(versions, n)`` that whoever has the release knows, and which these are.

    Those of the released label, which may be wrong on purpose; the true ones where none is
    released, as if somebody had read the originals. A class stands for the finding that most of
    its images have.
    """
    truth = np.tile(side.cohort.findings, (len(side.labels), 1))
    out = truth.copy()
    for label in np.unique(side.labels[side.labels >= 0]):
        members = side.cohort.findings[side.cohort.labels == label]
        if len(members):
            out[side.labels == label] = np.bincount(members).argmax()
    covered = (side.labels >= 0).any() and set(np.unique(truth)) == set(np.unique(out))
    return (out, "released labels") if covered else (truth, "true findings")


def _told_apart(names: tuple[str, ...]) -> list[int]:
    """Findings that are scored: all; of two only the one that is not called normal."""
    if len(names) > 2:
        return list(range(len(names)))
    return [0 if names[1].lower() == "normal" else 1]


def _groups(cohort: Cohort) -> Iterator[dict[str, NDArray[np.bool_]]]:
    """By sex, age and view: names and rows of subgroups."""
    yield {f"sex {s}": cohort.sexes == s for s in ("F", "M")}
    known = np.isfinite(cohort.ages)
    if known.any():
        middle = float(np.median(cohort.ages[known]))
        yield {
            f"age up to {middle:g}": known & (cohort.ages <= middle),
            f"age above {middle:g}": known & (cohort.ages > middle),
        }
    yield {f"view {v}": cohort.views == v for v in np.unique(cohort.views) if v}


utility = Classification()
