"""Between which numbers nearly all images lie that a flow was made for."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["UsualRange"]


class UsualRange(Struct, frozen=True, kw_only=True):
    """Lowest and highest usual value of each number that a flow gives an image.

    Attributes:
        bits: Bits per dimension, from 0 up.
        coarse: Mean square of the coarsest latents, about 1 for an image like its training's.
    """

    bits: tuple[float, float]
    coarse: tuple[float, float]
