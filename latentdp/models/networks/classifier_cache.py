"""Classifiers that were trained before: the same is learnt from the same images only once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from latentdp.core.cache import closed
from latentdp.core.filesystem import whole
from latentdp.models.networks.finding_classifier import (
    ClassifierConfig,
    FindingClassifier,
    Truth,
)

__all__ = ["ClassifierCache"]


class ClassifierCache:
    """Keeps classifiers by a digest of what they learnt from, in memory and perhaps in a folder.

    Args:
        folder: Where to keep them between processes. They are functions of originals: it belongs
            in the vault, or wherever only those come who may see the originals.

    Attributes:
        trained: How many had to be trained because they were not there.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.trained = 0
        self._classifiers: dict[str, FindingClassifier] = {}

    def classifier(
        self,
        images: NDArray[np.floating],
        labels: Truth,
        classes: int,
        settings: ClassifierConfig,
    ) -> FindingClassifier:
        """The classifier that learns this, from memory or the folder, or trained now.

        Args:
            images: ``(versions, n, h, w)`` in [0, 1].
            labels: As `FindingClassifier.fit` takes them.
            classes: Number of classes.
            settings: How to learn.

        Raises:
            InputError: A class is absent, or labels do not fit the images.
        """
        key = _digest(images, labels, classes, settings)
        classifier = self._classifiers.get(key) or self._read(key, classes, settings)
        if classifier is None:
            classifier = FindingClassifier.fit(images, labels, classes, settings)
            self.trained += 1
            if self.folder is not None:
                closed(self.folder)
                with whole(self.folder / f"{key}.safetensors") as path:
                    path.write_bytes(save(classifier.tensors()))
        self._classifiers[key] = classifier
        return classifier

    def _read(
        self, key: str, classes: int, settings: ClassifierConfig
    ) -> FindingClassifier | None:
        """One that is kept in the folder; None if it is absent or damaged, to be trained again."""
        if self.folder is None:
            return None
        try:
            tensors = load_file(self.folder / f"{key}.safetensors")
            return FindingClassifier.of(tensors, classes, settings)
        except (OSError, SafetensorError, RuntimeError, KeyError):
            return None


def _digest(
    images: NDArray[np.floating],
    labels: Truth,
    classes: int,
    settings: ClassifierConfig,
) -> str:
    facts = f"{images.shape} {images.dtype} {classes} {settings.describe()}"
    sha256 = hashlib.sha256(facts.encode())
    sha256.update(np.ascontiguousarray(images).data)
    sha256.update(np.ascontiguousarray(labels).data)
    return sha256.hexdigest()
