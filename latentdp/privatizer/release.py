"""What a privatizer returns: what may be released, and what may not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images, Labels
from latentdp.privacy.guarantee import Guarantee

__all__ = ["Rating", "Release"]


@dataclass(frozen=True, kw_only=True)
class Release:
    """What may be released of a batch of images.

    Attributes:
        images: ``(n, h, w)`` float32 in [0, 1].
        labels: Released class indices ``(n,)``; all -1 if none are released.
        guarantee: Of each image and its label; epsilon is infinity if anything is unprotected.
        approximate: The same noise read as (epsilon, delta).
        valid: ``(n,)`` False where decoding gave no finite image; such a row is all zero.
    """

    images: Images
    labels: Labels
    guarantee: Guarantee
    approximate: Guarantee
    valid: NDArray[np.bool_]

    @property
    def unprotected(self) -> tuple[str, ...]:
        """What is released exactly."""
        return self.guarantee.unprotected


@dataclass(frozen=True, kw_only=True)
class Rating:
    """How a batch of inputs looks to the flow. **Private**: it follows them without any noise.

    Attributes:
        bits: Bits per dimension ``(n,)``.
        odd: ``(n,)`` True for inputs unlike those the flow was trained on.
    """

    bits: NDArray[np.float64]
    odd: NDArray[np.bool_]
