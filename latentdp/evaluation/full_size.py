"""Images at the size at which they are released, read when somebody first asks for them.

Attackers and readers look at images of the flow's size, which say all that a source can have left.
What is drawn beyond it, and any trace of how, shows only in the files as they are. The rows that
hold the mark of a release are left out on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentdp.data import radiograph
from latentdp.data.dicom.profile import BASIC, Profile
from latentdp.data.synthetic import mark_box
from latentdp.errors import UnsupportedInstance
from latentdp.evaluation.pairing import SourceLink, private_image
from latentdp.metrics.linkage import some

__all__ = ["FullSize", "FullSizeImages"]

Image = NDArray[np.float32]

PIXELS = 2**26  # of either side in memory: 256 images of 512 pixels a side
MOST = 500  # images
GRID = 8  # pixels of the largest pattern that a decoder leaves; what is left out keeps its phase


@dataclass(frozen=True)
class FullSizeImages:
    """Originals and private images of one size, and numbers of each image.

    Attributes:
        size: Height and width of what is looked at.
        patients: ``(n,)``.
        originals: ``n`` images, ``(h, w)`` as 16 bits.
        private: The same.
    """

    size: tuple[int, int]
    patients: NDArray[np.int64]
    originals: list[NDArray[np.uint16]]
    private: list[NDArray[np.uint16]]

    def numbers(self, of: Callable[[Image], NDArray[np.float64]]) -> NDArray[np.float64]:
        """What a function says ``(2 n, f)`` of each original, then of each private image.

        Args:
            of: From an image ``(h, w)`` in [0, 1] to ``(f,)`` numbers.
        """
        both = (*self.originals, *self.private)
        return np.stack([of(stored.astype(np.float32) / np.float32(65535)) for stored in both])


@dataclass(frozen=True)
class FullSize:
    """Where they are.

    Attributes:
        links: Originals and their private images.
        patients: ``(n,)`` whose they are.
        seed: Of the draw, where there are more than are looked at.
        profile: What a person said of the originals when they were released, and whether
            released images are marked.
    """

    links: Sequence[SourceLink]
    patients: NDArray[np.int64]
    seed: int
    profile: Profile = BASIC

    def read(self, tell: Callable[[float], None]) -> FullSizeImages:
        """Reads them; what cannot be read, or has another size than most, is left out.

        Args:
            tell: Called with the share that is done.
        """
        rows = some(len(self.links), MOST, self.seed)
        size: tuple[int, int] | None = None
        patients: list[int] = []
        originals: list[NDArray[np.uint16]] = []
        private: list[NDArray[np.uint16]] = []
        for i, row in enumerate(rows.tolist()):
            tell(i / len(rows))
            try:
                made = private_image(self.links[row])
                size = size or (made.shape[0], made.shape[1])
                if made.shape != size:
                    continue
                before = radiograph.read(self.links[row].original, size, self.profile).image
            except (UnsupportedInstance, OSError):
                continue
            patients.append(int(self.patients[row]))
            top = self._rows_of_mark(size)
            originals.append(_stored(before[top:]))
            private.append(_stored(made[top:]))
            if len(private) * made.size >= PIXELS:
                break
        height, width = size or (0, 0)
        shown = (height - self._rows_of_mark((height, width)), width)
        return FullSizeImages(shown, np.array(patients, dtype=np.int64), originals, private)

    def _rows_of_mark(self, size: tuple[int, int]) -> int:
        """How many rows at the top are left out."""
        if not self.profile.mark or 0 in size:
            return 0
        height, _ = mark_box(size)
        return -(-height // GRID) * GRID


def _stored(image: Image) -> NDArray[np.uint16]:
    return np.rint(np.clip(image, 0, 1) * 65535).astype(np.uint16)
