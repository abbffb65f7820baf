"""The private sheet of the pairs that an attacker found most surely: real and private images.

It shows source images: it lies in the vault, for the eyes of its owner.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.reports.html import data_uri, write_page

__all__ = ["MOST", "FoundPair", "write_hardest_page"]

MOST = 120  # pairs on the page


@dataclass(frozen=True, kw_only=True)
class FoundPair:
    """A private image and the real one that gave it away.

    Attributes:
        private: ``(h, w)`` in [0, 1].
        real: ``(h, w)`` in [0, 1].
        score: The attacker's; larger is surer.
        words: About the real one.

    Raises:
        InputError: An image or the score is none.
    """

    private: NDArray[np.float32]
    real: NDArray[np.float32]
    score: float
    words: str

    def __post_init__(self) -> None:
        for image in (self.private, self.real):
            if image.ndim != 2 or not image.size or not np.isfinite(image).all():
                raise InputError("expected a pair of images (h, w) of finite numbers")
        if not math.isfinite(self.score):
            raise InputError("expected the score of a pair to be finite")


def write_hardest_page(pairs: Sequence[FoundPair], path: Path) -> None:
    """Writes the page, with mode 0600; the surest pairs come first.

    Args:
        pairs: What an attacker found.
        path: Of the page, in the vault.
    """
    surest = sorted(pairs, key=lambda pair: -pair.score)
    write_page(
        path,
        "hardest.html.j2",
        mode=0o600,
        total=len(surest),
        pairs=[
            (f"{pair.score:.4g}", pair.words, data_uri(pair.real), data_uri(pair.private))
            for pair in surest[:MOST]
        ],
    )
