"""Public images on which syntheses are compared: a cohort to learn from, and others to test on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.core.cache import Arrays, ResultCache
from latentdp.core.progress import ProgressCallback, silent
from latentdp.data.dataset import Dataset, read_dataset
from latentdp.data.preprocess import unit
from latentdp.errors import InputError
from latentdp.models.flow.flow import Flow
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation
from latentdp.synthesis.findings import parse_names
from latentdp.synthesis.public import PublicModel, thumbnails
from latentdp.synthesis.vectors import PatientImages

__all__ = ["NORMAL", "ComparedCohort", "LabelledSet"]

NORMAL = "normal"
IMAGES_PER_PATIENT = 4
TOGETHER = 64  # images


@dataclass(frozen=True, kw_only=True)
class LabelledSet:
    """Images with what they show, and whose they are.

    Attributes:
        images: ``(n, h, w)`` in [0, 1].
        findings: ``(n, f)`` which of the cohort's findings each shows.
        patients: ``(n,)`` numbers of patients; those of drawn images are all different.
        probabilities: ``(n, f)`` of each finding, in (0, 1), where a head labelled the images.
    """

    images: Images
    findings: NDArray[np.bool_]
    patients: NDArray[np.int64]
    probabilities: NDArray[np.float64] | None = None

    @classmethod
    def of_nobody(
        cls,
        images: Images,
        findings: NDArray[np.bool_],
        probabilities: NDArray[np.float64] | None = None,
    ) -> Self:
        """Drawn images."""
        return cls(
            images=images,
            findings=findings,
            patients=np.arange(len(images)),
            probabilities=probabilities,
        )


class ComparedCohort:
    """Patients of the training split of a source, and those of its other splits for tests.

    Args:
        flow: A public one, which should never have seen the source.
        data: Folder with a manifest, or the manifest.
        source: Of all images; empty for every one that there is.
        kept: Where what is worked out is kept, in a folder of its own for these images.
        tests: Splits whose images readers are tested on.

    Attributes:
        flow: As given.
        public: What methods know of it.
        source: As given.
        names: Of the findings of the training split, sorted.
        private: Who stands for the hospital's cohort.
        tests: Other patients.
        kept: Where what is worked out of these images is kept.

    Raises:
        InputError: The data lack images, findings or patients.
    """

    def __init__(
        self,
        flow: Flow,
        data: Path,
        source: str,
        kept: ResultCache,
        tests: Sequence[str] = ("val", "test"),
    ) -> None:
        self.flow, self.source = flow, source
        self.public = PublicModel.of(flow)
        train, others = (_read(flow, data, source, s) for s in (("train",), tests))
        said = [label for part in train for label in part.reported]
        self.names = tuple(sorted({n for label in said for n in parse_names(label, "row")}))
        if not self.names:
            raise InputError("no image of the training split has a finding")
        self.private, self.tests = (_labelled(parts, self.names) for parts in (train, others))
        self.kept = kept.below(self.digest)

    @cached_property
    def digest(self) -> str:
        """Of all that the results follow from: weights, images, findings and patients."""
        told = hashlib.sha256("\0".join((self.flow.sha256, *self.names)).encode())
        for part in (self.private, self.tests):
            for array in (part.images, part.findings, part.patients):
                told.update(np.ascontiguousarray(array).tobytes())
        return told.hexdigest()[:24]

    @property
    def patients(self) -> int:
        """How many are in the training split."""
        return int(self.private.patients.max()) + 1

    def sample(self, patients: int, seed: int) -> NDArray[np.int64]:
        """Numbers of so many patients, drawn at random; of all for 0."""
        return permutation(SeededNoise(seed), self.patients)[: patients or None]

    def originals(self, who: NDArray[np.int64]) -> LabelledSet:
        """All images of some patients."""
        rows = np.isin(self.private.patients, who)
        return LabelledSet(
            images=self.private.images[rows],
            findings=self.private.findings[rows],
            patients=self.private.patients[rows],
        )

    def seen(self, who: NDArray[np.int64]) -> PatientImages:
        """Some patients as methods of synthesis see them."""
        rows: list[int] = []
        of: list[int] = []
        for i, patient in enumerate(who):
            own = np.flatnonzero(self.private.patients == patient)[:IMAGES_PER_PATIENT]
            rows += list(own)
            of += [i] * len(own)
        return PatientImages(
            latents=self.latents()[rows],
            thumbnails=self._thumbnails[rows],
            findings=self.private.findings[rows],
            read=np.ones(len(rows), dtype=np.bool_),
            patients=np.array(of, dtype=np.int64),
        )

    def latents(self, progress: ProgressCallback = silent) -> NDArray[np.float64]:
        """Coarsest latents ``(n, m)`` of all images of the cohort."""

        def make() -> Arrays:
            images, parts = self.private.images, []
            for start in range(0, len(images), TOGETHER):
                progress(start / len(images), "encoding the cohort")
                z = self.flow.encode(images[start : start + TOGETHER])
                parts.append(z[:, self.flow.levels[0]])
            return {"latents": np.concatenate(parts)}

        return np.asarray(self.kept.arrays("latents", make)["latents"])

    @cached_property
    def _thumbnails(self) -> NDArray[np.uint8]:
        return thumbnails(self.private.images)


def _labelled(parts: Sequence[Dataset], names: Sequence[str]) -> LabelledSet:
    said = [parse_names(label, "row") for part in parts for label in part.reported]
    people = [who for part in parts for who in part.patients]
    return LabelledSet(
        images=np.concatenate([unit(part.pixels) for part in parts]),
        findings=np.array([[name in has for name in names] for has in said], dtype=np.bool_),
        patients=np.unique(people, return_inverse=True)[1].astype(np.int64),
    )


def _read(flow: Flow, data: Path, source: str, splits: Sequence[str]) -> list[Dataset]:
    sources = (source,) if source else ()
    return [
        read_dataset(data, s, size=flow.shape[0], conditions=("finding",), sources=sources)
        for s in splits
    ]
