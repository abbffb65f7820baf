"""How an image says that it is made up: in words for a header, and in its own pixels.

Whoever opens a file takes it for a patient's, unless it says otherwise where they look. The mark
is drawn over a box that is the same in all images of a size: what lay there is gone, so the box
holds nothing of anybody.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["TITLES", "USE", "mark_box", "marked", "title"]

USE = (
    "Synthetic: every image was made by a program, none was taken of a patient. For research and "
    "teaching, not for diagnosis."
)
_PRIVATE = "Synthetic radiograph, differentially private, not for diagnosis"
_NOT_PRIVATE = "Synthetic radiograph, no privacy guarantee, not for diagnosis"
TITLES = (_PRIVATE, _NOT_PRIVATE)

WORDS = ("SYNTHETIC", "SYN")  # the second where the first is too wide
WIDEST = 0.6  # share of an image's width that the mark may take
AS_WIDE = 128  # pixels of an image to one of a letter
# Five rows a letter, from the top; the highest of so many bits is on the left.
_LETTERS: dict[str, tuple[int, tuple[int, ...]]] = {
    "S": (3, (0b111, 0b100, 0b111, 0b001, 0b111)),
    "Y": (3, (0b101, 0b101, 0b010, 0b010, 0b010)),
    "N": (4, (0b1001, 0b1101, 0b1011, 0b1001, 0b1001)),
    "T": (3, (0b111, 0b010, 0b010, 0b010, 0b010)),
    "H": (3, (0b101, 0b101, 0b111, 0b101, 0b101)),
    "E": (3, (0b111, 0b100, 0b110, 0b100, 0b111)),
    "I": (1, (1, 1, 1, 1, 1)),
    "C": (3, (0b111, 0b100, 0b100, 0b100, 0b111)),
}


def title(*, private: bool) -> str:
    """What an image is, in at most 64 ASCII characters (LO, PS3.5 6.2).

    Args:
        private: Whether anything is guaranteed of the whole of it.
    """
    return _PRIVATE if private else _NOT_PRIVATE


def mark_box(shape: tuple[int, int]) -> tuple[int, int]:
    """Height and width in pixels of the mark, in the upper left corner of an image.

        >>> mark_box((128, 128))
        (7, 36)

    Args:
        shape: Of the image; one of less than 25 pixels has no room for a mark.

    Returns:
        (0, 0) where there is no room.
    """
    height, width = _mark(shape).shape
    return height, width


def marked(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """A copy of an image ``(h, w)`` in [0, 1] that says SYNTHETIC, white on black, in a corner."""
    mark = _mark((image.shape[0], image.shape[1]))
    height, width = mark.shape
    out = image.copy()
    out[:height, :width] = mark
    return out


def _mark(shape: tuple[int, int]) -> NDArray[np.float32]:
    enlarged = max(1, min(shape) // AS_WIDE)
    for word in WORDS:
        drawn = np.pad(_drawn(word), 1).repeat(enlarged, axis=0).repeat(enlarged, axis=1)
        if drawn.shape[1] <= WIDEST * shape[1] and drawn.shape[0] <= WIDEST * shape[0]:
            return drawn
    return np.zeros((0, 0), dtype=np.float32)


def _drawn(word: str) -> NDArray[np.float32]:
    """``(5, w)`` 0 and 1, a pixel between letters."""
    columns: list[list[int]] = []
    for width, rows in map(_LETTERS.__getitem__, word):
        columns += [[row >> bit & 1 for row in rows] for bit in reversed(range(width))]
        columns.append([0] * len(rows))
    return np.array(columns[:-1], dtype=np.float32).T
