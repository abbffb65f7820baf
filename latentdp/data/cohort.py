"""The people whose images are released, as an evaluation sees them: images and who is on them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images, Labels
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.data.preprocess import unit
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["Cohort", "whole_patients"]

Texts = NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Original images and what is known of each.

    Attributes:
        images: ``(n, h, w)`` float32 in [0, 1].
        patients: ``(n,)`` numbers of patients; equal numbers are one person.
        labels: ``(n,)`` class indices of the weights, -1 unknown: what a privatizer is given.
        findings: ``(n,)`` indices into ``finding_names``, -1 unknown: what utility is about.
        finding_names: Names of the findings, sorted.
        views: ``(n,)`` ``AP`` or ``PA``, empty where unknown.
        sexes: ``(n,)`` ``F`` or ``M``, empty where unknown.
        sources: ``(n,)`` names of the data sets that images come from, empty where unknown.
        ages: ``(n,)`` years, NaN where unknown.
        marks: ``(n, k)`` which of the findings each image shows, where one may show several; then
            ``findings`` holds the rarest of an image's. None where each shows one.
    """

    images: Images
    patients: NDArray[np.int64]
    labels: Labels
    findings: Labels
    finding_names: tuple[str, ...]
    views: Texts
    sexes: Texts
    sources: Texts
    ages: NDArray[np.float64]
    marks: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.images)

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """From a split of a data set."""
        return cls(
            images=unit(dataset.pixels),
            patients=np.unique(dataset.patients, return_inverse=True)[1].astype(np.int64),
            labels=dataset.labels,
            findings=dataset.findings,
            finding_names=dataset.finding_names,
            views=np.array(dataset.views, dtype=np.str_),
            sexes=np.array(dataset.sexes, dtype=np.str_),
            sources=np.array(dataset.sources, dtype=np.str_),
            ages=np.array(dataset.ages, dtype=np.float64),
        )

    @classmethod
    def read_plain(cls, data: Path, split: str, *, size: int, sources: Sequence[str] = ()) -> Self:
        """One split of ``data`` without labels of any weights; findings against normal."""
        images = read_dataset(data, split, size=size, conditions=("finding",), sources=sources)
        return replace(cls.of(images), labels=np.full(len(images), -1, dtype=np.int64))

    @property
    def digest(self) -> str:
        """SHA-256 of all that is known, for results that are kept."""
        mac = hashlib.sha256()
        for f in fields(self):
            value = getattr(self, f.name)
            if value is not None:
                mac.update(f.name.encode() + np.asarray(value).tobytes())
        return mac.hexdigest()

    @property
    def shown(self) -> NDArray[np.bool_]:
        """``(n, k)`` which findings each image shows; none where nothing is known of it."""
        if self.marks is not None:
            return self.marks
        return np.asarray(self.findings[:, None] == np.arange(len(self.finding_names)))

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """``(n, h, w)`` grey levels from 0 to 255."""
        return np.asarray(np.rint(self.images * 255), dtype=np.uint8)

    def take(self, rows: NDArray[Any]) -> Self:
        """Some of the images, by index or mask."""
        changed = {
            f.name: getattr(self, f.name)[rows]
            for f in fields(self)
            if f.name != "finding_names" and getattr(self, f.name) is not None
        }
        return replace(self, **changed)

    @property
    def cells(self) -> NDArray[np.int64]:
        """``(n,)`` numbers of source, view and sex: who is harder to tell apart than anyone."""
        keys = np.stack([self.sources, self.views, self.sexes], axis=1)
        return np.asarray(np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1), np.int64)


def whole_patients(patients: NDArray[Any], most: int, seed: int) -> NDArray[np.bool_]:
    """``(n,)`` which images belong to patients drawn at random, until there are ``most`` images.

    Args:
        patients: ``(n,)`` numbers or ids of each image's patient.
        most: Images that are enough; the last patient's are taken too.
        seed: Of the draw.
    """
    if len(patients) <= most:
        return np.ones(len(patients), dtype=np.bool_)
    _, numbers, counts = np.unique(patients, return_inverse=True, return_counts=True)
    order = permutation(SeededNoise(seed), len(counts))
    enough = int(np.searchsorted(np.cumsum(counts[order]), most)) + 1
    return np.isin(numbers, order[:enough])
