"""The pairs by which people were recognised most surely: for the vault's owner to look at."""

from __future__ import annotations

import numpy as np

from latentdp.core.progress import silent
from latentdp.evaluation.attacks._embedders import adapted, frozen, pixels
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.reports.hardest_pairs_page import FoundPair

__all__ = ["hardest"]


def hardest(scene: ThreatModel, count: int = 24) -> list[FoundPair]:
    """Private images and the real ones that gave them away, the surest first.

    Half are found by another radiograph of the patient, half by their own original. The score is
    how far the right one stands above the best wrong one, in cosine, for the opponent who names
    most first.

    Args:
        scene: After its attacks; what they saw is taken from its notes.
        count: Of pairs at most.
    """
    opponents = [pixels(scene), frozen(scene)]
    if scene.practice.lacks_patients() is None:
        opponents += adapted(scene, silent)
    patients = scene.target.cohort.patients
    same = patients[:, None] == patients[None, :]
    own = np.eye(len(patients), dtype=bool)
    pairs = []
    for words, right, wrong in (
        ("another radiograph of the patient", same & ~own, ~same),
        ("its own original", own, ~own),
    ):
        margins = []
        for opponent in opponents:
            scores = opponent.private @ opponent.real.T
            hit = np.where(right, scores, -np.inf)
            margins.append((hit.max(axis=1) - np.where(wrong, scores, -np.inf).max(axis=1), hit))
        finite = [(np.isfinite(m) & (m > 0)).sum() for m, _ in margins]
        margin, hit = margins[int(np.argmax(finite))]
        order = [i for i in np.argsort(-margin) if np.isfinite(margin[i]) and margin[i] > 0]
        pairs += [
            FoundPair(
                private=scene.target.private[0, i],
                real=scene.target.cohort.images[int(hit[i].argmax())],
                score=float(margin[i]),
                words=words,
            )
            for i in order[: count // 2]
        ]
    return pairs
