"""Pairs to verify: of one patient, and of two, balanced over patients.

A patient with many images would otherwise dominate: in ChestX-ray14's published test pairs, ten
patients give 56 % of the positive ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import below, permutation

__all__ = ["CAP", "Pairs"]

Index = NDArray[np.int64]

CAP = 6  # pairs of one patient's images
IMPOSTORS = 20  # pairs of two patients beside each pair of one


@dataclass(frozen=True)
class Pairs:
    """Pairs of a probe and a reference image ``(m,)``.

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
        ordered: bool = True,
        cap: int = CAP,
        seed: int = 5,
    ) -> Pairs:
        """Up to ``cap`` pairs of each patient's different images, and impostors beside each.

        A true pair (i, j) stands beside pairs (i', j) with the same reference and the probe of
        another patient. Only the probe changes, so where the probe is a release with a guarantee
        of epsilon, no test of these pairs can have TPR > exp(epsilon) FPR + delta.

        Args:
            patients: ``(n,)``.
            cells: ``(n,)``; impostors are drawn from the cell of the true probe. None for anyone.
            ordered: (i, j) and (j, i) are two pairs, as where probes are private images.
            cap: Pairs of one patient, counted without order.
            seed: Of the draws.

        Raises:
            InputError: No patient has two images, or nobody can be an impostor.
        """
        noise = SeededNoise(seed)
        order = np.argsort(patients, kind="stable")
        true = []
        for group in np.split(order, np.flatnonzero(np.diff(patients[order])) + 1):
            if len(group) < 2:
                continue
            first, second = np.triu_indices(len(group), 1)
            chosen = np.sort(permutation(noise, len(first))[:cap])
            both = [np.stack([group[first[chosen]], group[second[chosen]]], axis=1)]
            true += both + ([both[0][:, ::-1]] if ordered else [])
        if len(np.unique(patients)) < 2:
            raise InputError("expected images of at least 2 patients, got one patient")
        if not true:
            raise InputError("expected a patient with at least 2 images, got none")
        positive = np.concatenate(true)
        probe = np.repeat(positive[:, 0], IMPOSTORS)
        reference = np.repeat(positive[:, 1], IMPOSTORS)
        false = np.empty_like(probe)
        where = np.zeros_like(patients) if cells is None else cells
        for cell in np.unique(where[probe]):
            pool = np.flatnonzero(where == cell)
            open_ = np.flatnonzero(where[probe] == cell)
            if len(np.unique(patients[pool])) < 2:  # nobody else is in the cell: anyone will do
                pool = np.arange(len(patients))
            while len(open_):  # until each is of another patient, so that references stay balanced
                false[open_] = pool[below(noise, len(pool), len(open_))]
                open_ = open_[patients[false[open_]] == patients[reference[open_]]]
        return cls(
            np.concatenate([positive[:, 0], false]),
            np.concatenate([positive[:, 1], reference]),
            np.arange(len(positive) + len(false)) < len(positive),
        )
