"""Steps between neighbours that no longer show where an enlarged image was put together.

A network that makes four, or sixteen, pixels of each one leaves a grid: across the border of two
such squares neighbours differ by more, or by less, than within one. The eye hardly sees it and a
program does at once. As the deblocking filter of video does at the borders of blocks (List et al.
2003, IEEE TCSVT 13:614, section II), both pixels are moved towards each other, by a share of their
difference that depends on where the border lies and on nothing else: a fixed, linear filter, and
post-processing with public constants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from latentdp.core.arrays import Images
from latentdp.errors import WeightsError

__all__ = ["LARGEST_SHARE", "DeblockingFilter"]

MOST, LARGEST_SHARE = 64, 0.25


@dataclass(frozen=True)
class DeblockingFilter:
    """How far neighbours are moved towards each other, by their position in the grid.

    Attributes:
        across: Shares of the step from column k to the next one, for k modulo their number, by
            which both pixels are moved towards each other; below 0 away from each other.
        down: The same of rows.

    Raises:
        WeightsError: None at all, or shares that are out of range: beyond a quarter of a step.

    Example:
        >>> import numpy as np
        >>> stairs = np.arange(8, dtype=np.float32)[None, None].repeat(8, axis=1) // 2 / 8
        >>> DeblockingFilter(across=(0.0, 0.25), down=(0.0,)).apply(stairs)[0, 0, :4].tolist()
        [0.0, 0.03125, 0.09375, 0.15625]
    """

    across: tuple[float, ...]
    down: tuple[float, ...]

    def __post_init__(self) -> None:
        for shares in (self.across, self.down):
            if not (
                1 <= len(shares) <= MOST
                and all(math.isfinite(x) and abs(x) <= LARGEST_SHARE for x in shares)
            ):
                raise WeightsError(
                    f"expected 1 to {MOST} shares of a deblocking filter in each direction, each "
                    f"from -{LARGEST_SHARE} to {LARGEST_SHARE}"
                )

    def apply(self, images: Images) -> Images:
        """Images ``(n, h, w)`` in [0, 1], each by itself."""
        out = _nearer(_nearer(images, self.across).swapaxes(1, 2), self.down).swapaxes(1, 2)
        return np.clip(out, 0, 1, out=np.empty_like(images))


def _nearer(images: Images, shares: tuple[float, ...]) -> Images:
    """Columns ``(n, h, w)`` moved towards the next ones, all by steps as they were."""
    of_steps = np.resize(np.array(shares, dtype=np.float32), images.shape[2] - 1)
    moves = np.diff(images, axis=2) * of_steps
    out = images.copy()
    out[:, :, :-1] += moves
    out[:, :, 1:] -= moves
    return out
