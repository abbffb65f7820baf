"""Can a classifier still learn findings from private images, and be used on them?

Four settings, named as learnt on / tested on: o/o, o/p, p/o and p/p, o for originals and p for
private images. The classifier is one small network everywhere, taught from scratch with several
seeds. Findings of which there are few images have wide intervals, and those of which there are
fewer than five are left out; an image may show several. What is learnt on originals does not
depend on the method, and is learnt once for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentdp.core.progress import ProgressCallback
from latentdp.data.cohort import Cohort
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.evaluation.utility._lesson import Lesson, lessons, rarer, readable
from latentdp.evaluation.utility.base import Utility
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.definitions.prediction import GAP
from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.linkage import widened
from latentdp.metrics.metric import Metric
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier
from latentdp.reports.results import Measure

__all__ = ["Classification", "utility"]

Matrix = NDArray[np.float64]

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
        learnt, tested = lessons(scene)
        seeds = max(1, scene.effort.seeds)
        jobs = [(kind, seed) for kind in "op" for seed in range(seeds)]
        odds: dict[str, list[Matrix]] = {}
        for i, (kind, seed) in enumerate(jobs):
            tell(
                i / len(jobs),
                f"teaching a classifier on {'originals' if kind == 'o' else 'private'}",
            )
            classifier = self.classifier(scene, private=kind == "p", seed=seed)
            sides = (("o", tested.side.cohort.images), ("p", tested.side.private[0]))
            for other, images in sides:
                odds.setdefault(f"{kind}/{other}", []).append(classifier.log_odds(images))
        sample = _Sample(tested, scene.effort.resamples, scene.seed)
        note = learnt.known[1]
        measures: list[Measure] = []
        for setting, several in odds.items():
            detail = {"learnt_with": note if setting.startswith("p") else "true findings"}
            measures += self._findings(setting, several, sample, detail)
        for setting in ("o/o", "p/o"):
            measures += self._subgroups(setting, odds[setting], sample)
        return measures

    def classifier(self, scene: ThreatModel, *, private: bool, seed: int = 0) -> FindingClassifier:
        """A classifier taught on the practice side, or found among those of the scene."""
        lesson = lessons(scene)[0]
        images = lesson.side.private if private else lesson.side.cohort.images[None]
        truth = lesson.known[0] if private else lesson.truth[None]
        most = scene.effort.reader_steps
        steps = min(most, max(most // 8, EPOCHS * images.shape[1] // BATCH))
        settings = ClassifierConfig(steps=steps, seed=seed)
        return scene.classifiers.classifier(images, truth, len(lesson.names), settings)

    def _findings(
        self,
        setting: str,
        several: list[Matrix],
        sample: _Sample,
        detail: dict[str, str],
    ) -> list[Measure]:
        names, everyone = sample.lesson.names, np.ones(len(sample.lesson.shown), dtype=np.bool_)
        measures, areas_by_finding, counts = [], [], []
        for finding in _told_apart(sample.lesson):
            areas = sample.areas(several, finding, everyone)
            areas_by_finding.append(areas)
            counts.append(sample.rarer(finding, everyone))
            measures.append(
                self._measure(setting, names[finding], AUC, areas, sample, detail, counts[-1])
            )
        mean, count = np.mean(areas_by_finding, axis=0), int(np.mean(counts))
        measures.append(
            self._measure(setting, "mean", AUC, mean, sample, detail, count, headline=True)
        )
        return [measure for measure in measures if measure is not None]

    def _subgroups(self, setting: str, several: list[Matrix], sample: _Sample) -> list[Measure]:
        measures: list[Measure | None] = []
        largest: tuple[float, str, Matrix] | None = None
        findings = _told_apart(sample.lesson)
        for groups in _groups(sample.lesson.side.cohort):
            seen: dict[str, Matrix] = {}
            for name, rows in groups.items():
                if not sample.enough(rows):
                    continue
                seen[name] = np.mean([sample.areas(several, f, rows) for f in findings], axis=0)
                count = int(np.mean([sample.rarer(f, rows) for f in findings]))
                measures.append(
                    self._measure(setting, name, AUC, seen[name], sample, {}, count, rows)
                )
            ranked = sorted(seen, key=lambda name: -float(seen[name][0].mean()))
            if len(ranked) < 2:
                continue
            gap = seen[ranked[0]] - seen[ranked[-1]]
            if largest is None or gap[:, 0].mean() > largest[0]:
                largest = float(gap[:, 0].mean()), f"{ranked[0]} - {ranked[-1]}", gap
        if largest is not None:
            detail = {"note": "the largest of several gaps: by luck alone it is above 0"}
            measures.append(self._measure(setting, largest[1], GAP, largest[2], sample, detail, 0))
        return [measure for measure in measures if measure is not None]

    def _measure(
        self,
        setting: str,
        subject: str,
        metric: Metric,
        areas: Matrix,
        sample: _Sample,
        detail: dict[str, str],
        rarer: int,
        rows: NDArray[np.bool_] | None = None,
        *,
        headline: bool = False,
    ) -> Measure | None:
        """From AUCs ``(seeds, 1 + resamples)``: their mean over seeds; None if there is none."""
        values = estimate(areas.mean(axis=0))
        if values is None:
            return None
        whose = sample.lesson.side.cohort.patients
        rows = np.ones(len(whose), dtype=np.bool_) if rows is None else rows
        patients = len(np.unique(whose[rows]))
        if metric is AUC:  # all right on few patients is no proof
            values = widened(values, max(1, rarer))
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

    lesson: Lesson
    resamples: int
    seed: int

    def areas(self, several: list[Matrix], finding: int, rows: NDArray[np.bool_]) -> Matrix:
        """AUCs ``(seeds, 1 + resamples)`` of one finding against the rest, within sources."""
        cohort = self.lesson.side.cohort
        weights = Resamples(cohort.patients, self.resamples, self.seed).images(rows)
        strata = np.unique(cohort.sources, return_inverse=True)[1].astype(np.int64)[rows]
        positive = self.lesson.shown[rows, finding]
        return np.stack([auc(odds[rows, finding], positive, weights, strata) for odds in several])

    def rarer(self, finding: int, rows: NDArray[np.bool_]) -> int:
        """Patients with a finding, or without it: whichever are fewer."""
        shown, whose = self.lesson.shown[rows, finding], self.lesson.side.cohort.patients[rows]
        return min(len(np.unique(whose[with_it])) for with_it in (shown, ~shown))

    def enough(self, rows: NDArray[np.bool_]) -> bool:
        """Whether a subgroup is worth a number."""
        return bool(rarer(self.lesson.shown[rows]).min() >= FEWEST_OF_GROUP)


def _told_apart(lesson: Lesson) -> list[int]:
    """Findings that are scored: all; of two that exclude each other the one that is not normal."""
    names = lesson.names
    if len(names) > 2 or lesson.several:
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
