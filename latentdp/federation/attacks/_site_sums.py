"""The sums in a site's file, as `latentdp federate share` makes them."""

from __future__ import annotations

from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from latentdp.federation.attacks.base import SharedSum, SitePeople
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.methods.base import SynthesisMethod

__all__ = ["SiteSums"]

Matrix = NDArray[np.float64]


class SiteSums(SharedSum):
    """Joint records of a method, with the noise of its plan.

    Args:
        method: Of the site.
        mechanism: The noise of its statistics.
    """

    def __init__(self, method: SynthesisMethod, mechanism: NoisySum) -> None:
        self.name, self.method, self.mechanism = "one-round file", method, mechanism

    def records(self, people: SitePeople) -> Matrix:
        """As the proof of the method has them."""
        return self.method.records(people.seen)

    def latents(self, seen: Matrix) -> Matrix | None:
        """Added up over findings or clusters, which share a patient out."""
        coarse, ends = self.method.public.coarse, accumulate(b.size for b in self.method.blocks)
        sums = [
            seen[:, start:end].reshape(len(seen), -1, coarse).sum(axis=1)
            * (block.bound / block.share)
            for block, (start, end) in zip(self.method.blocks, pairwise((0, *ends)), strict=True)
            if block.bound == self.method.public.clip and block.size % coarse == 0
        ]
        return np.asarray(sums[0]) if sums else None
