"""Telling patients apart by all that is released: image, label, kept header, and pseudonym.

A label that lies beside an image is as much of the release as its pixels. The attacker holds a
real radiograph and what is on record of it, and asks whether the outputs under one pseudonym are
of the same patient: what each label and each kept header element says for it is added to what a
verifier sees. How labels of one patient go together is learnt on other patients; of a header
element that is copied the share of people who have the same value says how rare a match is.

Against anyone all of that counts. Against impostors who are alike in source, view and sex there is
left what these do not already tell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentdp.core.arrays import UNKNOWN, Labels
from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.attacks._embedders import Embedder, Matrix, adapted, frozen, together
from latentdp.evaluation.attacks._joint import joined
from latentdp.evaluation.attacks._verification import best_of_joined
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.threat_model import FileFacts, PairedImages, ThreatModel
from latentdp.metrics.pairs import images_by_patient
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["attack"]

WEIGHTS = (0.25, 1.0)  # nats that a standard deviation of a verifier's likeness counts
PRIOR = 20.0  # pairs of unrelated labels that are believed before any is seen
ERRORS = 0.01  # how often a copied header element is thought to be wrong
MOST_VALUES = 100  # different ones of a header element that may tell anything


class Everything(Attack):
    """Verification by labels and headers alone, and with a verifier's likeness."""

    name = "everything"
    title = "tells patients apart by image, label, kept header and pseudonym together"
    kind = AttackKind.VERIFICATION
    meaning = (
        "The attacker puts together all that is released of a patient: what the labels and the "
        "headers say, and how like the images are."
    )

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """It needs two patients with two images, and some to practise on."""
        counts = np.unique(scene.target.cohort.patients, return_counts=True)[1]
        if (several := int((counts > 1).sum())) < 2:
            return f"needs 2 patients with at least 2 images, there are {several}"
        return scene.practice.lacks_patients()

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """AUC of the best attacker against anyone, and against those who are alike."""
        tell(0.0, "labels and headers")
        record = _together([_labels(scene), *_headers(scene.files)])
        opponents = [joined(scene, Embedder("labels and headers", *record))]
        for sees in (frozen(scene), together(adapted(scene, tell))):
            image = joined(scene, sees)
            scale = float((image.private @ image.real.T).std()) or 1.0
            opponents += [_beside(opponents[0], image, weight / scale) for weight in WEIGHTS]
        return best_of_joined(self.name, scene, opponents)


def _labels(scene: ThreatModel) -> tuple[Matrix, Matrix]:
    """Vectors whose product is the log-likelihood ratio of a released label and a known one."""
    sides = (scene.practice, scene.target)
    known = [_known(side) for side in sides]
    released = np.unique(np.concatenate([side.labels.ravel() for side in sides]))
    values = np.unique(np.concatenate(known))
    pairs = _of_one_patient(scene.practice)
    together = np.zeros((len(released), len(values)))
    for labels in scene.practice.labels:
        rows = np.searchsorted(released, labels[pairs[:, 0]])
        columns = np.searchsorted(values, known[0][pairs[:, 1]])
        np.add.at(together, (rows, columns), 1.0)
    together /= len(scene.practice.labels)
    apart = np.outer(_shares(scene.practice.labels.ravel(), released), _shares(known[0], values))
    ratio = np.log((together + PRIOR * apart) / ((together.sum() + PRIOR) * apart))
    private = (scene.target.labels[0][:, None] == released).astype(np.float64)
    return private, ratio[:, np.searchsorted(values, known[1])].T


def _known(side: PairedImages) -> Labels:
    """What is on record of each original: its label, or its finding where no label is known."""
    cohort = side.cohort
    return cohort.labels if (cohort.labels != UNKNOWN).any() else cohort.findings


def _shares(values: Labels, among: Labels) -> Matrix:
    """How frequent each value is, none of them never."""
    counts = (values[:, None] == among).sum(axis=0) + 0.5
    return np.asarray(counts / counts.sum())


def _of_one_patient(side: PairedImages) -> Labels:
    """Pairs ``(m, 2)`` of images of one patient; each with itself where nobody has two."""
    pairs = [
        images[np.stack(np.nonzero(~np.eye(len(images), dtype=np.bool_)), axis=1)]
        for images in images_by_patient(side.cohort.patients)
    ]
    everyone = np.arange(len(side.cohort))
    different = np.concatenate(pairs)
    return different if len(different) else np.stack([everyone, everyone], axis=1)


def _headers(files: FileFacts | None) -> list[tuple[Matrix, Matrix]]:
    """Of each header element that both sides have, vectors whose product is a log-ratio."""
    if files is None:
        return []
    elements = []
    for kind in sorted(files.private.keys() & files.original.keys()):
        if not kind.startswith("header:"):
            continue
        released, known = (
            np.array(side[kind], dtype=np.str_) for side in (files.private, files.original)
        )
        values, counts = np.unique(known, return_counts=True)
        if not 1 < len(values) <= MOST_VALUES or not np.isin(released, values).any():
            continue
        share = counts / counts.sum()
        ratio = np.where(
            np.eye(len(values), dtype=np.bool_),
            np.log((1 - ERRORS) / share)[:, None],
            np.log(ERRORS / (1 - share))[:, None],
        )
        private = (released[:, None] == values).astype(np.float64)
        elements.append((private, ratio[:, np.searchsorted(values, known)].T))
    return elements


def _together(parts: Sequence[tuple[Matrix, Matrix]]) -> tuple[Matrix, Matrix]:
    private, real = zip(*parts, strict=True)
    return np.concatenate(private, axis=1), np.concatenate(real, axis=1)


def _beside(record: Embedder, image: Embedder, weight: float) -> Embedder:
    """Record and likeness added up."""
    return Embedder(
        f"{record.name}, {image.name} x {weight:.3g}",
        np.concatenate([record.private, weight * image.private], axis=1),
        np.concatenate([record.real, image.real], axis=1),
    )


attack = Everything()
