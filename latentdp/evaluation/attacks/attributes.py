"""Attribute probes: sex, age and view of a private image, and what its label alone says of them.

A linear classifier of small pictures: 16 x 16 pixels, their principal components, logistic
regression. An attribute is no identity, but it narrows a search, and what a release says of it
beyond its label must come from the image.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from latentdp.core.arrays import Images, Labels
from latentdp.core.progress import ProgressCallback
from latentdp.data.preprocess import shrink
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.threat_model import PairedImages, ThreatModel
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.linkage import widened
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["Attributes", "attack"]

Matrix = NDArray[np.float64]

SIDE = 16
COMPONENTS = 64
FEWEST = 10  # images of either kind that are worth learning from, or being tested on


class Attributes(Attack):
    """Learns on private practice images, is tested on the release."""

    name = "attributes"
    title = "reads sex, age and view from private images, and from released labels alone"
    kind = AttackKind.ATTRIBUTE
    meaning = (
        "The attacker guesses sex, age or view from a private image, and from its label alone."
    )

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """AUC of each attribute from the release, its labels alone, and the originals."""
        outcomes = []
        wanted = _attributes(scene)
        for i, (name, (learnt, tested)) in enumerate(wanted.items()):
            tell(i / len(wanted), f"reading {name}")
            if min(np.bincount(x[x >= 0], minlength=2).min() for x in (learnt, tested)) < FEWEST:
                continue
            labels = _one_hot(scene)
            views = {
                "private": (_seen(scene.practice, labels[0]), _seen(scene.target, labels[1], 1)),
                "labels alone": labels,
                "original": (
                    _small(scene.practice.cohort.images),
                    _small(scene.target.cohort.images),
                ),
            }
            for setting, (x, seen) in views.items():
                if seen.shape[1] == 0 or np.ptp(x, axis=0).max() == 0:
                    continue  # nothing is released, or it is always the same
                y = np.tile(learnt, len(x) // len(learnt))
                known = y >= 0
                model = make_pipeline(
                    StandardScaler(),
                    PCA(min(COMPONENTS, *x[known].shape), svd_solver="full"),
                    LogisticRegression(C=0.1, max_iter=2000),
                ).fit(x[known], y[known])
                scores = np.asarray(model.decision_function(seen), dtype=np.float64)
                outcomes.append(self._outcome(scene, f"{name} from {setting}", scores, tested))
        return [outcome for outcome in outcomes if outcome is not None]

    def _outcome(
        self, scene: ThreatModel, setting: str, scores: Matrix, truth: Labels
    ) -> Outcome | None:
        known = truth >= 0
        patients = scene.target.cohort.patients[known]
        weights = Resamples(patients, scene.effort.resamples, scene.seed).images(
            np.ones(len(patients), dtype=np.bool_)
        )
        values = estimate(auc(scores[known], truth[known] == 1, weights))
        if values is None:
            return None
        count = len(np.unique(patients))
        interval = widened(values, count)
        released = not setting.endswith("original")
        return Outcome.of(
            interval,
            attack=self.name,
            setting=setting,
            metric=AUC,
            n=len(patients),
            patients=count,
            chance=0.5,
            ceiling=scene.guarantee.verification_ceiling()
            if scene.guarantee and released
            else None,
            headline=setting.endswith("private"),
        )


def _attributes(scene: ThreatModel) -> dict[str, tuple[Labels, Labels]]:
    """Of practice and target: 1, 0, or -1 where it is not known."""
    sides = (scene.practice.cohort, scene.target.cohort)
    values = {"sex": tuple(_either(side.sexes, "M", "F") for side in sides)}
    ages = sides[0].ages[np.isfinite(sides[0].ages)]
    if len(ages):
        middle = np.median(ages)
        values["age"] = tuple(
            np.where(np.isfinite(side.ages), side.ages > middle, -1).astype(np.int64)
            for side in sides
        )
    views, counts = np.unique(sides[0].views[sides[0].views != ""], return_counts=True)
    if len(views) > 1:
        one, other = views[np.argsort(-counts, kind="stable")][:2]
        values["view"] = tuple(_either(side.views, str(one), str(other)) for side in sides)
    return {name: (pair[0], pair[1]) for name, pair in values.items()}


def _either(values: NDArray[np.str_], one: str, other: str) -> Labels:
    return np.select([values == one, values == other], [1, 0], -1).astype(np.int64)


def _one_hot(scene: ThreatModel) -> tuple[Matrix, Matrix]:
    """Released labels of practice (all versions) and target; no column where none is released."""
    learnt, tested = scene.practice.labels.ravel(), scene.target.labels[0]
    classes = np.unique(learnt[learnt >= 0])
    learnt_hot, tested_hot = ((x[:, None] == classes).astype(float) for x in (learnt, tested))
    return learnt_hot, tested_hot


def _seen(side: PairedImages, labels: Matrix, versions: int | None = None) -> Matrix:
    """Small pictures of private images, version by version, and the labels beside them."""
    images = side.private[:versions]
    return np.concatenate([_small(images.reshape(-1, *images.shape[2:])), labels], axis=1)


def _small(images: Images) -> Matrix:
    return np.asarray(shrink(images, SIDE).reshape(len(images), -1), dtype=np.float64)


attack = Attributes()
