"""Readers of findings that learn on originals or on what is released, and how well they read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.metrics import roc_auc_score

from latentdp.core.arrays import Images, Labels
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier

__all__ = ["TRAINING", "mean_auc", "taught"]

TRAINING = ClassifierConfig(steps=400)


def taught(images: Images, labels: Labels, seed: int) -> FindingClassifier:
    """A reader of images ``(n, h, w)`` in [0, 1] with labels ``(n,)``, each class present."""
    config = replace(TRAINING, seed=seed)
    return FindingClassifier.fit(images[None], labels[None], int(labels.max()) + 1, config)


def mean_auc(reader: FindingClassifier, images: Images, labels: Labels) -> float:
    """Of each class against all others, the mean over classes."""
    odds = reader.log_odds(images)
    return float(np.mean([roc_auc_score(labels == c, odds[:, c]) for c in range(odds.shape[1])]))
