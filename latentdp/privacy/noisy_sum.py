"""The sum of a cohort's records with exact Gaussian noise: integers from the record to the noise.

Each patient is one vector of length at most 1. It is laid on a grid towards zero, which never
makes it longer; the integers are added up, and each entry of the sum gets a normal variable that
is rounded to the grid and drawn exactly (`latentdp.privacy.samplers.rounded_gaussian`). That is
the same as continuous noise whose result is rounded, so that all that holds for the continuous
Gaussian mechanism holds here by post-processing. No float is ever added to anything private.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.privacy.guarantee import Relation, above
from latentdp.privacy.mechanisms.base import clip_norm, finite
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.rounded_gaussian import rounded_normal

__all__ = ["NoisySum"]

FINEST, COARSEST = 2**16, 2**4  # cells of a record of length 1
WIDEST = 2**18  # cells: standard deviation of the noise, as the sampler can have it
RECORDS_MOVED = {Relation.ADD_REMOVE: 1, Relation.REPLACE_ONE: 2}


@dataclass(frozen=True, kw_only=True)
class NoisySum:
    """A release of a sum of integer records, one of each patient.

    Attributes:
        grid: Cells of a record of length 1, and so the bound of an integer record's length; 16 to
            65,536.
        scale: Standard deviation of the noise on each entry of the sum, in cells.
    """

    grid: int
    scale: float

    def __post_init__(self) -> None:
        if not COARSEST <= self.grid <= FINEST:
            raise InputError(
                f"expected a grid of {COARSEST} to {FINEST} cells, got "
                f"{'fewer' if self.grid < COARSEST else 'more'}"
            )
        rounded_normal(self.scale)

    @classmethod
    def calibrate(cls, mu: float) -> Self:
        """The noise that makes one release mu-GDP under add-remove, on the finest grid that fits.

        Raises:
            InputError: So small a budget would need more noise than the sampler has.
        """
        grid = FINEST
        while grid > COARSEST and grid / mu > WIDEST:
            grid //= 2
        scale = above(grid / mu)
        if scale > WIDEST:
            raise InputError(
                "the budget is too small for so many releases of noisy sums; give a larger epsilon"
            )
        return cls(grid=grid, scale=max(scale, 0.5))

    @property
    def deviation(self) -> float:
        """Standard deviation of the noise, where a record has a length of at most 1."""
        return self.scale / self.grid

    def sensitivity(self, relation: Relation) -> int:
        """How far the sum of integer records moves at most, in cells (l2)."""
        return RECORDS_MOVED[relation] * self.grid

    def mu(self, relation: Relation) -> float:
        """The release is mu-GDP under this relation."""
        return above(self.sensitivity(relation) / self.scale)

    def quantise(self, records: NDArray[np.float64]) -> NDArray[np.int64]:
        """Integer records ``(n, k)``, each of a length of at most ``grid``.

        Args:
            records: ``(n, k)``. What is longer than 1 is scaled down to it, and NaN counts as 0,
                so that no record, however it came about, moves the sum by more.
        """
        cells = clip_norm(finite(records), 1.0, 2) * self.grid
        integers = np.trunc(cells).astype(np.int64)
        over = (integers**2).sum(axis=1) > self.grid**2  # by rounding, at most by a cell or two
        while over.any():
            integers[over] -= np.sign(integers[over])
            over = (integers**2).sum(axis=1) > self.grid**2
        return integers

    def release(self, total: NDArray[np.int64], noise: Noise) -> NDArray[np.float64]:
        """The noisy sum ``(k,)``, in lengths of a record.

        Args:
            total: ``(k,)`` sum of integer records.
            noise: Fresh bits; two releases never share them.
        """
        normal = rounded_normal(self.scale).draw(noise, len(total))
        return np.asarray((total + normal) / self.grid)
