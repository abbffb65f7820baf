"""How alike two sides are, row by row: maps and layouts, and latents as seen from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images, Labels
from latentdp.data.cohort import Cohort
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["latent_correlations", "row_correlations"]

Matrix = NDArray[np.float64]


def row_correlations(a: Matrix, b: Matrix) -> Matrix:
    """Pearson's correlation ``(n,)`` of rows ``(n, d)``, 0 of one without any contrast."""
    return np.asarray((_standard(a) * _standard(b)).mean(axis=1))


def latent_correlations(
    flow: Flow, cohort: Cohort, images: Images, labels: Labels
) -> dict[str, Matrix]:
    """Pearson's correlation of latents, over their elements, ``(n,)`` each.

    The latent of a private image is that of what is released: pixels within black and white,
    under the released label.

    Args:
        flow: Encodes both sides.
        cohort: The originals.
        images: ``(n, h, w)`` their private images.
        labels: ``(n,)`` released with them.

    Returns:
        ``own``: of an original and its own private image. ``other``: of an original and the
        private image of another original with the same label, which is what the label gives.
    """
    real, private = flow.encode(cohort.images, cohort.labels), flow.encode(images, labels)
    other = np.arange(len(cohort))
    noise = SeededNoise(1)
    for label in np.unique(cohort.labels):
        around = np.flatnonzero(cohort.labels == label)
        around = around[permutation(noise, len(around))]
        other[around] = np.roll(around, 1)
    return {
        "own": row_correlations(real, private),
        "other": row_correlations(real, private[other]),
    }


def _standard(latents: Matrix) -> Matrix:
    centred = latents - latents.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(centred.std(axis=1, keepdims=True), 1e-12))
