"""How the layout of a picture follows the coarsest latents, which the weights alone say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["GRID", "layout_gradients"]

GRID = 4  # parts of a picture on a side, whose mean grey levels are its layout


def layout_gradients(flow: Flow) -> NDArray[np.float64]:
    """Gradients ``(GRID**2, d)`` of the mean grey level of each part of the average image.

    At latent zero and under no label, in grey levels from 0 to 1 for a latent. They are set to
    zero in finer levels, which were found to have less than a thousandth of them.

    Args:
        flow: Of images of at least `GRID` pixels a side.
    """
    side, part = flow.shape[0], flow.shape[0] // GRID
    inside = np.arange(side) // part == np.arange(GRID)[:, None]
    means = inside[:, None, :, None] & inside[None, :, None, :]
    cells = means.reshape(-1, side, side) / part**2
    gradients = flow.pull_back(np.zeros((len(cells), flow.d)), cells)
    gradients[:, flow.levels[0].stop :] = 0
    gradients.flags.writeable = False
    return gradients
