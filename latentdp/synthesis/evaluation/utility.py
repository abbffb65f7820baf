"""Is a synthetic set good to learn from? AUC of readers on originals of other patients.

What is learnt on a set is named ``p/o``; beside it stand the cohort's own originals (``o/o``), the
head itself, fresh samples of the public flow that the head labels, which show what the generator
adds to it, and the mean pictures of the set, which show what it teaches beyond two pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.mark_cover import MarkCover
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.linkage import widened
from latentdp.models.flow.flow import Flow
from latentdp.models.networks.classifier_cache import ClassifierCache
from latentdp.privacy.noise import SeededNoise
from latentdp.reports.results import Measure
from latentdp.synthesis.evaluation.subjects import Subjects
from latentdp.synthesis.evaluation.synthetic_set import SyntheticSet
from latentdp.synthesis.head import shown_by
from latentdp.synthesis.mixture import LatentMixture
from latentdp.synthesis.readers import Lecture, by_class_means, linear, network

__all__ = ["FEWEST", "FEWEST_OF_GROUP", "Scores", "TestSample", "rate", "read_by_all"]

Matrix = NDArray[np.float64]

FEWEST = 5  # test images with a finding, and without it
FEWEST_OF_GROUP = 50  # patients of a subgroup
SEEDS = 3
LINEAR, NETWORK, HEAD, MEANS = "linear reader", "network", "the head itself", "mean pictures"


@dataclass(frozen=True)
class Scores:
    """What one reader says of the test images.

    Attributes:
        reader: Its name.
        setting: What it learnt from.
        values: ``(n, f)``; larger for a finding that is shown.
        learnt: Images that it learnt from.
    """

    reader: str
    setting: str
    values: Matrix
    learnt: int


def read_by_all(
    released: SyntheticSet,
    lectures: dict[str, Lecture],
    flow: Flow,
    tested: Subjects,
    cover: MarkCover,
    cache: ClassifierCache,
    *,
    quick: bool,
    seed: int,
    tell: ProgressCallback,
) -> Iterator[Scores]:
    """Scores of every reader after every lecture.

    Args:
        released: The set.
        lectures: ``p/o`` and ``o/o``, with its findings; their marks are covered.
        flow: Of its weights.
        tested: Other patients.
        cover: What lies over the mark.
        cache: Of networks that learnt before.
        quick: No networks.
        seed: Of samples and networks.
        tell: Progress.
    """
    head = released.generator.head
    assert head is not None
    yield Scores(HEAD, "learnt with the generator", head.probabilities(tested.images), 0)
    images = cover.images(tested.images)
    yield Scores(MEANS, "p/o", by_class_means(lectures["p/o"], images), len(released.images))
    fresh = _fresh(released, flow, seed)
    fresh = replace(fresh, images=cover.images(fresh.images))
    lectures = lectures | {"flow's samples/o": fresh}
    for setting, lecture in lectures.items():
        yield Scores(LINEAR, setting, linear(lecture, images), len(lecture.images))
    if quick:
        return
    for i, (setting, lecture) in enumerate(lectures.items()):
        tell(i / len(lectures), "teaching networks")
        scores = network(lecture, images, cache, range(seed, seed + SEEDS))
        if scores is not None:
            yield Scores(NETWORK, setting, scores, len(lecture.images))


def rate(scores: Scores, sample: TestSample) -> list[Measure]:
    """AUC of each finding, of all, and in subgroups, with intervals over patients."""
    everyone = np.ones(len(sample.shown), dtype=np.bool_)
    findings = sample.measured(everyone)
    measures = [
        sample.measure(scores, [f], sample.names[f], everyone, headline=False) for f in findings
    ]
    measures.append(sample.measure(scores, findings, "mean", everyone, headline=True))
    for name, rows in sample.groups():
        measures.append(sample.measure(scores, sample.measured(rows), name, rows, headline=False))
    return [measure for measure in measures if measure is not None]


class TestSample:
    """Other patients whose findings are known.

    Args:
        tested: These.
        names: Findings of the set.
        seed: Of the bootstrap.
    """

    def __init__(self, tested: Subjects, names: tuple[str, ...], seed: int) -> None:
        self.names = names
        self.read = tested.read
        self.shown = tested.shown(names)
        self._tested, self._seed = tested, seed

    def measured(self, rows: NDArray[np.bool_]) -> list[int]:
        """Findings that enough of these images show, and enough do not."""
        shown = self.shown[rows & self.read]
        having = shown.sum(axis=0)
        enough = np.minimum(having, len(shown) - having) >= FEWEST
        return [int(f) for f in np.flatnonzero(enough)]

    def groups(self) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Subgroups of enough patients by sex, age and view."""
        who = self._tested
        known = np.isfinite(who.ages)
        middle = float(np.median(who.ages[known])) if known.any() else 0.0
        groups = {f"sex {s}": who.sexes == s for s in ("F", "M")}
        groups |= {
            f"age up to {middle:g}": known & (who.ages <= middle),
            f"age above {middle:g}": known & (who.ages > middle),
        }
        groups |= {f"view {v}": who.views == v for v in np.unique(who.views) if v}
        for name, rows in groups.items():
            if len(np.unique(who.patients[rows & self.read])) >= FEWEST_OF_GROUP:
                yield name, rows

    def measure(
        self,
        scores: Scores,
        findings: list[int],
        subject: str,
        rows: NDArray[np.bool_],
        *,
        headline: bool,
    ) -> Measure | None:
        """Mean AUC of some findings; None where there are none."""
        kept = rows & self.read
        if not findings:
            return None
        whose, shown = self._tested.patients[kept], self.shown[kept]
        weights = self._resamples.images(kept)
        areas = [auc(scores.values[kept, f], shown[:, f], weights) for f in findings]
        value = estimate(np.mean(areas, axis=0))
        if value is None:
            return None
        rarer = min(
            len(np.unique(whose[shown[:, f] == side])) for f in findings for side in (True, False)
        )
        return Measure.of(
            widened(value, max(1, rarer)),
            utility=scores.reader,
            setting=scores.setting,
            subject=subject,
            metric=AUC,
            n=int(kept.sum()),
            patients=len(np.unique(whose)),
            headline=headline,
            detail={"note": f"learnt on {scores.learnt:,} images"} if scores.learnt else None,
        )

    @cached_property
    def _resamples(self) -> Resamples:
        return Resamples(self._tested.patients, seed=self._seed)


def _fresh(released: SyntheticSet, flow: Flow, seed: int) -> Lecture:
    """As many samples of the public flow as the set has, with as many of each finding."""
    head = released.generator.head
    assert head is not None
    latents = LatentMixture.prior(flow.levels[0].stop).draw(
        SeededNoise(seed), len(released.images), flow.d
    )
    images, valid = flow.decode_valid(latents)
    images = images[valid]
    head = head.calibrated(images, released.shown.mean(axis=0))
    probabilities = head.probabilities(images)
    return Lecture(images=images, shown=shown_by(probabilities), probabilities=probabilities)
