"""Readers that were taught before: who learns the same from the same images learns it once."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from latentdp.core.cache import closed
from latentdp.core.filesystem import whole
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier

__all__ = ["ClassifierCache"]


class ClassifierCache:
    """Keeps readers by a digest of what they learnt from, in memory and, if wanted, in a folder.

    Args:
        folder: Where to keep them between processes. They are functions of originals: it belongs
            in the vault, or wherever only those come who may see the originals.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.taught = 0
        self._readers: dict[str, FindingClassifier] = {}

    def reader(
        self,
        images: NDArray[np.floating],
        labels: NDArray[np.int64],
        classes: int,
        course: ClassifierConfig,
    ) -> FindingClassifier:
        """As `FindingClassifier.taught`, but taught only if there is none such."""
        key = _digest(images, labels, classes, course)
        found = self._readers.get(key) or self._fetch(key, classes, course)
        if found is None:
            found = FindingClassifier.fit(images, labels, classes, course)
            self.taught += 1
            if self.folder is not None:
                closed(self.folder)
                with whole(self.folder / f"{key}.safetensors") as path:
                    path.write_bytes(save(found.tensors()))
        self._readers[key] = found
        return found

    def _fetch(self, key: str, classes: int, course: ClassifierConfig) -> FindingClassifier | None:
        if self.folder is None:
            return None
        try:
            return FindingClassifier.of(
                load_file(self.folder / f"{key}.safetensors"), classes, course
            )
        except (
            OSError,
            SafetensorError,
            RuntimeError,
            KeyError,
        ):  # absent or damaged: learn again
            return None


def _digest(
    images: NDArray[np.floating], labels: NDArray[np.int64], classes: int, course: ClassifierConfig
) -> str:
    seen = hashlib.sha256(f"{images.shape} {images.dtype} {classes} {course.describe()}".encode())
    seen.update(np.ascontiguousarray(images).data)
    seen.update(np.ascontiguousarray(labels).data)
    return seen.hexdigest()
