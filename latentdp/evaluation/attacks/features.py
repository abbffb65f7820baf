"""A scan for planted identity: every pixel and every latent dimension, one at a time.

A network looks at whole images and overlooks a number that was written into one pixel. The scan
asks each feature on its own, on practice images, whether patients differ in it (one-way analysis
of variance; intraclass correlation, Fisher 1925) and whether it follows the same feature of the
original. The few that tell most, by a test that allows for the number of features (Bonferroni),
are then tried on the release.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.analysis_of_variance import analysis_of_variance
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.linkage import some, widened
from latentdp.metrics.pairs import Pairs
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.result_detail import Detail
from latentdp.reports.results import Impostors, Outcome

__all__ = ["Features", "attack"]

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]

PRACTICE = 800  # images to learn on
FEWEST = 10  # patients with several images
CHOSEN = 8  # features that score
LEVEL = 0.05  # of the test for planted features, all features together
SHARE = 0.9995  # largest share of a patient that is believed


class Features(Attack):
    """Chooses features on practice, scores with them on the target."""

    name = "features"
    title = "scans single pixels and latent dimensions for planted identity"
    kind = AttackKind.SEARCH
    meaning = "The attacker compares what general image features, never taught on people, show."

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """Verification by the best features, and linkage to the own original by the best."""
        tell(0.0, "encoding")
        practice = _practice(scene)
        names, seen = _features(scene, practice)
        tell(0.7, "scanning")
        return [
            *self._verification(scene, names, seen, scene.practice.cohort.patients[practice]),
            *self._linkage(scene, names, seen),
        ]

    def _verification(
        self, scene: ThreatModel, names: list[str], seen: _Seen, patients: Index
    ) -> list[Outcome]:
        """Two private images: of one patient, or of two of the same source, view and sex?"""
        several = np.isin(patients, [p for p, n in _counts(patients) if n > 1])
        if len(np.unique(patients[several])) < FEWEST or scene.target.lacks_pairs():
            return []
        x, who = seen.learnt[several], np.unique(patients[several], return_inverse=True)[1]
        p, share = analysis_of_variance(x, who)
        chosen, significant = _best(p, -share)
        cohort = scene.target.cohort
        pairs = Pairs.of(
            cohort.patients,
            cohort.cells,
            ordered=False,
            cap=None,
            redraw="both",
            seed=scene.seed,
        )
        c = np.clip(share[chosen], 0.02, SHARE)
        centre, spread = x[:, chosen].mean(axis=0), x[:, chosen].std(axis=0)
        z = (seen.target[:, chosen] - centre) / np.maximum(spread, 1e-9)
        a, b = z[pairs.probe], z[pairs.reference]
        # Log-likelihood ratio of one patient against two, where a patient has a share c of it.
        scores = (2 * c * a * b - c * c * (a * a + b * b)) / (2 * (1 - c * c))
        weights = Resamples(cohort.patients, scene.effort.resamples, scene.seed).pairs(
            pairs.probe, pairs.reference
        )
        values = estimate(auc(scores.sum(axis=1), pairs.same, weights))
        if values is None:
            return []
        count = len(np.unique(cohort.patients[pairs.probe[pairs.same]]))
        interval = widened(values, count)
        # Two images are seen, and both may be others: twice the guarantee of one.
        both = scene.guarantee.compose(scene.guarantee) if scene.guarantee else None
        return [
            Outcome(
                attack=self.name,
                setting="two private images, impostors of the same source, view and sex",
                metric=AUC,
                value=interval.value,
                low=interval.low,
                high=interval.high,
                n=len(pairs.same),
                patients=count,
                chance=0.5,
                ceiling=both.verification_ceiling() if both else None,
                headline=significant > 0,
                detail=Detail(
                    _told(names, chosen, significant, share[chosen], "share of the patient")
                ),
                impostors=Impostors.ALIKE,
            )
        ]

    def _linkage(self, scene: ThreatModel, names: list[str], seen: _Seen) -> list[Outcome]:
        """A private image against all originals."""
        x, y = seen.learnt_original, seen.learnt
        dx, dy = x - x.mean(axis=0), y - y.mean(axis=0)
        lengths = np.sqrt(np.square(dx).sum(axis=0) * np.square(dy).sum(axis=0))
        r = np.divide((dx * dy).sum(axis=0), lengths, out=np.zeros(len(names)), where=lengths > 0)
        n = len(x)
        with np.errstate(divide="ignore", invalid="ignore"):  # with 2 images all fits exactly
            t = np.abs(r) * np.sqrt((n - 2) / np.maximum(1 - r * r, 0.0))
        chosen, significant = _best(2 * stats.t.sf(t, n - 2), -np.abs(r))
        dx, dy = dx[:, chosen], dy[:, chosen]
        slope = (dx * dy).sum(axis=0) / np.maximum(np.square(dx).sum(axis=0), 1e-12)
        noise = np.sqrt(np.square(dy - slope * dx).mean(axis=0))
        noise = np.maximum(noise, 1e-4 * dy.std(axis=0) + 1e-9)
        private = (seen.target[:, chosen] - y[:, chosen].mean(axis=0)) / noise
        real = (seen.target_original[:, chosen] - x[:, chosen].mean(axis=0)) * slope / noise
        square = np.square(private).sum(axis=1)[:, None] + np.square(real).sum(axis=1)
        return self.linked(
            scene,
            private @ real.T - square / 2,
            np.arange(len(private)),
            "own image, by single features",
            headline=significant > 0,
            detail=_told(names, chosen, significant, r[chosen], "correlation"),
        )


@dataclass(frozen=True)
class _Seen:
    """Features ``(n, f)`` of private images and of their originals, to learn on and to attack."""

    learnt: Matrix
    learnt_original: Matrix
    target: Matrix
    target_original: Matrix


def _practice(scene: ThreatModel) -> Index:
    """Practice images to learn on, those of patients with several images first."""
    patients = scene.practice.cohort.patients
    several = np.isin(patients, [p for p, n in _counts(patients) if n > 1])
    first, rest = np.flatnonzero(several), np.flatnonzero(~several)
    left = max(0, PRACTICE - len(first))
    lots = first[some(len(first), PRACTICE, scene.seed)], rest[some(len(rest), left, scene.seed)]
    return np.concatenate(lots)


def _counts(patients: Index) -> list[tuple[int, int]]:
    who, how_many = np.unique(patients, return_counts=True)
    return list(zip(who.tolist(), how_many.tolist(), strict=True))


def _features(scene: ThreatModel, practice: Index) -> tuple[list[str], _Seen]:
    """Pixels and, where the flow is known, latents and coordinates along public directions."""
    learnt, target = scene.practice, scene.target
    height, width = target.cohort.images.shape[1:]
    names = [f"pixel ({i}, {j})" for i in range(height) for j in range(width)]
    stacks = [
        (learnt.private[0, practice], learnt.labels[0, practice]),
        (learnt.cohort.images[practice], np.full(len(practice), -1)),
        (target.private[0], target.labels[0]),
        (target.cohort.images, np.full(len(target.cohort), -1)),
    ]
    columns: list[list[NDArray[Any]]] = [[images.reshape(len(images), -1)] for images, _ in stacks]
    if scene.privatizer is not None:
        flow, plan = scene.privatizer.flow, scene.privatizer.plan
        names += [f"latent {i}" for i in range(flow.d)]
        directions = flow.directions if plan.basis is not None else flow.directions[:0]
        names += [f"direction {i}" for i in range(len(directions))]
        for column, (images, labels) in zip(columns, stacks, strict=True):
            z = flow.encode(images, labels)
            column += [z, z @ directions.T]
    arrays = [np.concatenate(column, axis=1).astype(np.float64) for column in columns]
    return names, _Seen(*arrays)


def _best(p: Matrix, order: Matrix) -> tuple[Index, int]:
    """Features that score, and how many of all are significant; the best where none is.

    Args:
        p: ``(f,)`` p values.
        order: ``(f,)`` what decides between equal p values; smaller first.
    """
    ranked = np.lexsort([order, p])
    significant = int((p * len(p) < LEVEL).sum())
    return ranked[: max(1, min(CHOSEN, significant))], significant


def _told(
    names: list[str], chosen: Index, significant: int, values: Matrix, what: str
) -> dict[str, object]:
    return {
        "features": [names[i] for i in chosen],
        what: [round(float(v), 3) for v in values],
        "significant": significant,
        "scanned": len(names),
        "note": f"significant: p x {len(names)} below {LEVEL}, on practice images",
    }


attack = Features()
