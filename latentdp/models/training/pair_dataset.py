"""Images of patients, and the pairs of them that a network learns from.

One rule for all: two images of one patient are two different ones, each pair of a patient as
likely as any other; a patient is drawn as often as any other of the same kind, however many
images there are of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentdp.errors import InputError
from latentdp.metrics.pairs import images_by_patient

__all__ = ["LabelledImages", "PairDataset", "PairSampler", "choose"]

Index = NDArray[np.int64]
Pixels = NDArray[np.uint8] | NDArray[np.float32]


class PairSampler:
    """Draws pairs of images, by patients.

    Args:
        patients: ``(n,)`` numbers of the images' patients.

    Attributes:
        patients: ``(n,)`` numbers of the images' patients, from 0.
        images: Indices of the images of each patient.
        several: Patients of whom there are several images.
        single: Patients of whom there is one.

    Raises:
        InputError: There are fewer than two patients.
    """

    def __init__(self, patients: Index) -> None:
        self.patients = np.unique(patients, return_inverse=True)[1]
        self.images = images_by_patient(self.patients)
        if len(self.images) < 2:
            raise InputError(f"expected images of at least 2 patients, got {len(self.images)}")
        counts = np.bincount(self.patients)
        self.several, self.single = np.flatnonzero(counts > 1), np.flatnonzero(counts == 1)

    def of_patients(
        self, n: int, several: float, generator: torch.Generator
    ) -> tuple[Index, Index, Index]:
        """A pair of each of ``n`` different patients, or of all if there are fewer.

        Args:
            n: Number of pairs.
            several: Share of them that comes from patients with several images, if there are as
                many; of one with a single image, that is both images of the pair.
            generator: Source of the draws.

        Returns:
            Indices of first and second images, and numbers of their patients, ``(n,)`` each.
        """
        wanted = min(round(n * several), len(self.several))
        wanted = max(wanted, min(n - len(self.single), len(self.several)))
        drawn_from = ((self.several, min(n, wanted)), (self.single, max(0, n - wanted)))
        patients = np.concatenate(
            [pool[choose(len(pool), count, generator)] for pool, count in drawn_from]
        )
        pairs = [self._two_of(patient, generator) for patient in patients]
        first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return first, second, patients

    def half_same(self, n: int, generator: torch.Generator) -> tuple[Index, Index]:
        """Pairs of which the first half are of one patient, the others of two.

        Args:
            n: Number of pairs; there is a patient with several images.
            generator: Source of the draws.

        Returns:
            Indices of first and second images, ``(n,)`` each.
        """
        pairs = []
        for i in range(n):
            if i < n // 2:
                patient = self.several[choose(len(self.several), 1, generator)[0]]
                pairs.append(self._two_of(patient, generator))
            else:
                two = choose(len(self.images), 2, generator)
                pairs.append(tuple(self._one_of(patient, generator) for patient in two))
        first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return first, second

    def _two_of(self, patient: np.int64, generator: torch.Generator) -> tuple[np.int64, ...]:
        """Two different images of a patient; twice the same of one who has no other."""
        images = self.images[patient]
        two = images[choose(len(images), 2, generator)]
        return two[0], two[-1]

    def _one_of(self, patient: np.int64, generator: torch.Generator) -> np.int64:
        images = self.images[patient]
        return np.int64(images[int(torch.randint(len(images), (1,), generator=generator))])


class PairDataset:
    """Images as two sides of a pair may show them: as they are, or in several private copies.

    Args:
        anchors: ``(versions, n, h, w)``, uint8 or float32 in [0, 1]; of each of the n images one
            of the versions is shown.
        partners: ``(versions, n, h, w)`` of the same n images: real ones beside private ones, or
            the array of the anchors itself. Then two versions are shown that differ, where there
            are two.
        patients: ``(n,)`` numbers of the images' patients.

    Raises:
        InputError: There are fewer than two patients.
    """

    def __init__(self, anchors: Pixels, partners: Pixels, patients: Index) -> None:
        self.anchors, self.partners = anchors, partners
        self.sampler = PairSampler(patients)

    @classmethod
    def of_images(cls, images: Pixels, patients: Index) -> PairDataset:
        """Pairs of images ``(n, h, w)`` of which there is one version.

        Args:
            images: uint8, or float32 in [0, 1].
            patients: ``(n,)`` numbers of the images' patients.

        Raises:
            InputError: There are fewer than two patients.
        """
        versions = images[None]
        return cls(versions, versions, patients)

    def pairs(
        self, n: int, several: float, generator: torch.Generator
    ) -> tuple[Pixels, Pixels, Tensor]:
        """A pair of each of ``n`` patients, or fewer, as `PairSampler.of_patients` draws them.

        Returns:
            Anchors and partners ``(n, h, w)`` and numbers of their patients ``(n,)``.
        """
        first, second, patients = self.sampler.of_patients(n, several, generator)
        versions, others = len(self.anchors), len(self.partners)
        version = torch.randint(versions, (len(patients),), generator=generator).numpy()
        other = torch.randint(others, (len(patients),), generator=generator).numpy()
        if self.anchors is self.partners and versions > 1:
            step = torch.randint(versions - 1, (len(patients),), generator=generator).numpy()
            other = (version + 1 + step) % versions
        return (
            np.asarray(self.anchors[version, first]),
            np.asarray(self.partners[other, second]),
            torch.from_numpy(patients),
        )


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images, whose they are and what is on them.

    Attributes:
        images: ``(n, h, w)`` float32 in [0, 1].
        patients: ``(n,)`` numbers of patients.
        findings: ``(n,)`` class indices, -1 unknown.

    Raises:
        InputError: Fewer than two patients, or none who has two images: then there are no pairs
            of both kinds.
    """

    images: NDArray[np.float32]
    patients: Index
    findings: Index

    def __post_init__(self) -> None:
        counts = np.unique(self.patients, return_counts=True)[1]
        if len(counts) < 2 or counts.max() < 2:
            raise InputError("expected at least 2 patients, and one who has 2 images")

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def sampler(self) -> PairSampler:
        """Draws pairs of the images."""
        return PairSampler(self.patients)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the images and all that is known of them."""
        parts = (self.images, self.patients, self.findings)
        return hashlib.sha256(
            b"".join(hashlib.sha256(part.tobytes()).digest() for part in parts)
        ).hexdigest()


def choose(bound: int, n: int, generator: torch.Generator) -> Index:
    """``n`` different numbers below ``bound``, in random order, or all of them."""
    return np.asarray(torch.randperm(bound, generator=generator)[:n].numpy())
