"""Pairs of images to verify: of one patient, and of two. One rule for all who ask.

Of each patient come pairs of different images, at most so many: a patient with many images would
otherwise dominate (in ChestX-ray14's published test pairs, ten patients give 56 % of the positive
ones). Beside each stand impostor pairs, in which one image or both are redrawn from the images of
all, or of those that are alike in what an attacker sees anyway (source, view, sex, finding).

One image is redrawn where the other is a reference that the attacker holds: until it is of another
patient, so that references stay balanced. Both are redrawn where both are released images, which
may both be somebody else's: pairs that fall on one patient by chance are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.privacy.noise import Noise, SeededNoise
from latentdp.privacy.samplers.uniform import below, permutation

__all__ = ["CAP", "IMPOSTORS", "Pairs", "images_by_patient"]

Index = NDArray[np.int64]

CAP = 6  # pairs of one patient's images
IMPOSTORS = 20  # pairs of two patients beside each pair of one


@dataclass(frozen=True)
class Pairs:
    """Pairs of a probe and a reference image ``(m,)``; those of one patient come first.

    Attributes:
        probe: Indices of the images whose identity is asked for.
        reference: Indices of the images that they are held against.
        same: Whether both show one patient.
    """

    probe: Index
    reference: Index
    same: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.same)

    @classmethod
    def of(
        cls,
        patients: Index,
        cells: Index | None = None,
        *,
        matched: bool = True,
        ordered: bool = True,
        cap: int | None = CAP,
        redraw: Literal["probe", "both"] = "probe",
        seed: int = 5,
    ) -> Pairs:
        """Up to ``cap`` pairs of each patient's different images, and impostors beside each.

        A true pair (i, j) stands beside pairs (i', j) with the same reference and the probe of
        another patient. Only the probe changes, so where the probe is a release with a guarantee
        of epsilon, no test of these pairs can have TPR > exp(epsilon) FPR + delta. Where both
        change, no test can beat twice the guarantee.

            >>> pairs = Pairs.of(np.array([0, 0, 1, 2]), ordered=False)
            >>> int(pairs.same.sum()), int((~pairs.same).sum())
            (1, 20)

        Args:
            patients: ``(n,)`` numbers of patients.
            cells: ``(n,)`` numbers of what is alike; None where everyone is.
            matched: Whether an image is redrawn from its own cell, or from anywhere.
            ordered: (i, j) and (j, i) are two pairs, as where probes are private images.
            cap: Pairs of one patient, counted without order; None for all there are.
            redraw: What changes in impostor pairs.
            seed: Seed of the draws.

        Raises:
            InputError: No patient has two images, or there is but one patient.
        """
        noise = SeededNoise(seed)
        true = _of_one_patient(patients, ordered=ordered, cap=cap, noise=noise)
        cells = np.zeros_like(patients) if cells is None else cells
        if redraw == "both":
            probe, reference = (
                _redrawn(np.repeat(side, IMPOSTORS), cells, matched=matched, noise=noise)
                for side in true.T
            )
            apart = patients[probe] != patients[reference]
            probe, reference = probe[apart], reference[apart]
        else:
            reference = np.repeat(true[:, 1], IMPOSTORS)
            probe = _redrawn(
                np.repeat(true[:, 0], IMPOSTORS),
                cells,
                matched=matched,
                noise=noise,
                patients=patients,
            )
        return cls(
            np.concatenate([true[:, 0], probe]),
            np.concatenate([true[:, 1], reference]),
            np.arange(len(true) + len(probe)) < len(true),
        )

    @classmethod
    def of_left_out(cls, patients: Index, cells: Index | None = None, *, seed: int = 5) -> Pairs:
        """Pairs (i, i) of images of patients with several, and impostors (i', i) beside each.

        Here probe i stands for what the patient's images but i say together, of which there is
        nothing for a patient with one image.

            >>> pairs = Pairs.of_left_out(np.array([0, 0, 1, 1, 2]))
            >>> pairs.probe[pairs.same].tolist(), int((~pairs.same).sum())
            ([0, 1, 2, 3], 80)

        Args:
            patients: ``(n,)`` numbers of patients.
            cells: ``(n,)`` numbers of what is alike; None where everyone is.
            seed: Seed of the draws.

        Raises:
            InputError: Fewer than two patients have two images.
        """
        noise = SeededNoise(seed)
        groups = [images for images in images_by_patient(patients) if len(images) > 1]
        if len(groups) < 2:
            raise InputError(f"expected 2 patients with at least 2 images, got {len(groups)}")
        several = np.concatenate(groups)
        true = np.concatenate(
            [images[np.sort(permutation(noise, len(images))[:CAP])] for images in groups]
        )
        place = np.empty(len(patients), dtype=np.int64)
        place[several] = np.arange(len(several))
        probe = _redrawn(
            np.repeat(place[true], IMPOSTORS),
            np.zeros_like(several) if cells is None else cells[several],
            matched=True,
            noise=noise,
            patients=patients[several],
        )
        return cls(
            np.concatenate([true, several[probe]]),
            np.concatenate([true, np.repeat(true, IMPOSTORS)]),
            np.arange(len(true) + len(probe)) < len(true),
        )


def images_by_patient(patients: Index) -> list[Index]:
    """Indices of each patient's images, patients and images in ascending order."""
    order = np.argsort(patients, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(patients[order])) + 1)


def _of_one_patient(patients: Index, *, ordered: bool, cap: int | None, noise: Noise) -> Index:
    """Pairs ``(m, 2)`` of different images of one patient."""
    groups = images_by_patient(patients)
    if len(groups) < 2:
        raise InputError("expected images of at least 2 patients, got one patient")
    pairs = []
    for images in groups:
        if len(images) < 2:
            continue
        first, second = np.triu_indices(len(images), 1)
        if cap is not None:
            chosen = np.sort(permutation(noise, len(first))[:cap])
            first, second = first[chosen], second[chosen]
        both = np.stack([images[first], images[second]], axis=1)
        pairs += [both, both[:, ::-1]] if ordered else [both]
    if not pairs:
        raise InputError("expected a patient with at least 2 images, got none")
    return np.concatenate(pairs)


def _redrawn(
    images: Index,
    cells: Index,
    *,
    matched: bool,
    noise: Noise,
    patients: Index | None = None,
) -> Index:
    """Other images for these ``(m,)``, each from its own cell or from anywhere.

    Args:
        images: Indices of the images to replace.
        cells: ``(n,)`` of all images.
        matched: Whether to draw from the same cell.
        noise: Source of the draws.
        patients: ``(n,)``; draws again until each is of another patient, from anywhere where the
            cell has nobody else. None takes what comes.
    """
    others = np.empty_like(images)
    everyone = np.arange(len(cells))
    for cell in np.unique(cells[images]):
        pool = np.flatnonzero(cells == cell) if matched else everyone
        if patients is not None and len(np.unique(patients[pool])) < 2:
            pool = everyone
        left = np.flatnonzero(cells[images] == cell)
        while len(left):
            others[left] = pool[below(noise, len(pool), len(left))]
            if patients is None:
                break
            left = left[patients[others[left]] == patients[images[left]]]
    return others
