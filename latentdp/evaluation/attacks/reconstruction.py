"""Reconstruction: the original is regressed from its private image, linearly.

Ridge regression (Hoerl and Kennard 1970) from the principal components of private images to
originals, both small, learnt on other patients. What counts is what it explains beyond the best
guess of somebody who sees the released label only, and whether the guess finds its original.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV

from latentdp.core.arrays import Labels
from latentdp.core.progress import ProgressCallback
from latentdp.data.preprocess import shrink
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.bootstrap import Resamples, estimate
from latentdp.metrics.definitions.prediction import EXPLAINED
from latentdp.metrics.linkage import correlations
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["Reconstruction", "attack"]

Matrix = NDArray[np.float64]

SIDE = 32
COMPONENTS = 256
FEWEST = 20
MOST = 4000  # private images to learn from
PENALTIES = tuple(float(10**x) for x in range(-2, 5))  # times a component's mean variance


class Reconstruction(Attack):
    """Learns on practice, draws the originals of the target."""

    name = "reconstruction"
    title = "regresses originals from private images"
    kind = AttackKind.RECONSTRUCTION
    meaning = "The attacker learns to rebuild the original from the private image."

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """With too little to learn from."""
        return "too few practice images" if len(scene.practice.cohort) < FEWEST else None

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """Share of variance explained, and linkage by the reconstruction."""
        tell(0.0, "learning")
        practice, target = scene.practice, scene.target
        n = len(practice.cohort)
        versions = max(1, min(len(practice.private), MOST // n))
        learnt = _flat(practice.private[:versions].reshape(-1, *practice.private.shape[2:]))
        labels = practice.labels[:versions].ravel()
        truth = np.tile(_flat(practice.cohort.images), (versions, 1))
        guess = _guess(truth, labels, labels)
        pca = PCA(min(COMPONENTS, len(learnt) // 2, learnt.shape[1]), svd_solver="full").fit(
            learnt
        )
        x = pca.transform(learnt)
        scale = float(np.sqrt(np.square(x).mean())) or 1.0
        ridge = RidgeCV(alphas=[len(x) * p for p in (*PENALTIES, 1e9)]).fit(
            x / scale, truth - guess
        )
        tell(0.5, "reconstructing")
        original = _flat(target.cohort.images)
        base = _guess(truth, labels, target.labels[0])
        rebuilt = base + ridge.predict(pca.transform(_flat(target.private[0])) / scale)
        rows = np.arange(len(original))
        return [
            self._explained(scene, original, rebuilt, base, float(ridge.alpha_) / len(x)),
            *self.linked(
                scene,
                correlations(rebuilt, original),
                rows,
                "own image, by its reconstruction",
                headline=True,
            ),
        ]

    def _explained(
        self, scene: ThreatModel, original: Matrix, rebuilt: Matrix, base: Matrix, penalty: float
    ) -> Outcome:
        patients = scene.target.cohort.patients
        wrong, blind = (np.square(original - x).mean(axis=1) for x in (rebuilt, base))
        weights = Resamples(patients, scene.effort.resamples, scene.seed).images(
            np.ones(len(patients), dtype=np.bool_)
        )
        interval = estimate(1 - (weights @ wrong) / np.maximum(weights @ blind, 1e-12))
        assert interval is not None
        return Outcome.of(
            interval,
            attack=self.name,
            setting="variance of the original explained, beyond the released label",
            metric=EXPLAINED,
            n=len(patients),
            patients=len(np.unique(patients)),
            chance=0.0,
            detail={
                "rms": float(np.sqrt(wrong.mean())),
                "rms_best_guess": float(np.sqrt(blind.mean())),
                "penalty": penalty,
                "pixels": original.shape[1],
            },
        )


def _guess(truth: Matrix, labels: Labels, seen: Labels) -> Matrix:
    """The mean original of each released label, as practice has it; of all where it has none."""
    out = np.repeat(truth.mean(axis=0)[None], len(seen), axis=0)
    for label in np.unique(seen):
        mine = labels == label
        if mine.any():
            out[seen == label] = truth[mine].mean(axis=0)
    return out


def _flat(images: NDArray[Any]) -> Matrix:
    return np.asarray(shrink(images, SIDE).reshape(len(images), -1), dtype=np.float64)


attack = Reconstruction()
