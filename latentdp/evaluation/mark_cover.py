"""The mark of a release, covered on both sides, so that it tells nothing apart.

Each image of a release says SYNTHETIC in a corner. That is public and the same for all, and yet it
would undo a comparison: whoever knows originals from released images by the mark has learnt
nothing of how real these look. So the box is filled with one and the same piece of picture,
the mean of the originals there, in originals, released images and all copies that attackers
make, once they are made. Nothing is lost: below the mark there is nothing of a source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images, Labels
from latentdp.data.synthetic import mark_box
from latentdp.evaluation.threat_model import PairedImages

__all__ = ["MarkCover"]

MARGIN = 1  # pixels, into which the mark is smeared when an image is reduced

More = Callable[[int, NDArray[np.int64]], tuple[Images, Labels]]


@dataclass(frozen=True, kw_only=True)
class MarkCover:
    """What lies over the mark.

    Attributes:
        content: ``(h, w)`` for the upper left corner; ``(0, 0)`` where there is no mark.
    """

    content: NDArray[np.float32]

    @classmethod
    def of(cls, originals: Images, size: int) -> Self:
        """For a release whose images were marked at ``size`` pixels a side.

        Args:
            originals: ``(n, h, w)``, of the size at which all is compared.
            size: Of the released files.
        """
        sides = originals.shape[1:]
        box = mark_box((size, size))
        if 0 in box:
            return cls(content=np.zeros((0, 0), dtype=np.float32))
        height, width = (
            min(side, -(-marked * side // size) + MARGIN)
            for marked, side in zip(box, sides, strict=True)
        )
        return cls(content=originals[:, :height, :width].mean(axis=0, dtype=np.float32))

    def images(self, images: Images) -> Images:
        """A copy of images ``(..., h, w)`` with the box covered."""
        height, width = self.content.shape
        covered = images.copy()
        covered[..., :height, :width] = self.content
        return covered

    def pairs(self, side: PairedImages) -> PairedImages:
        """The same on both sides."""
        cohort = replace(side.cohort, images=self.images(side.cohort.images))
        return replace(side, cohort=cohort, private=self.images(side.private))

    def more(self, more: More) -> More:
        """The same of further copies, which are made of the originals as they are."""

        def covered(k: int, rows: NDArray[np.int64]) -> tuple[Images, Labels]:
            private, labels = more(k, rows)
            return self.images(private), labels

        return covered
