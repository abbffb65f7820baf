"""How often each training image is shown: no patient too often, rare findings less rarely."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from latentdp.data.dataset import Dataset
from latentdp.models.flow.attributes import PRESENT

__all__ = ["sampling_odds"]

PER_PATIENT = 10  # images that a patient counts for at most; a few have more than 100
MOST = 3.0  # how many times more often than an image without findings one with a rare one comes


def sampling_odds(
    data: Dataset, findings: NDArray[np.int64], by_source: Mapping[str, float]
) -> NDArray[np.float64]:
    """Odds ``(n,)`` with which the images are drawn.

    An image with findings is drawn more often by the square root of how much rarer its rarest
    one is than the commonest finding, `MOST` times at most.

    Args:
        data: The training images.
        findings: ``(n, findings)`` 1 present, 0 absent, -1 unknown.
        by_source: Factors of the sources that are not as good as the others.
    """
    counts = np.maximum(1, (findings == PRESENT).sum(axis=0))
    rarity = np.minimum(MOST, np.sqrt(counts.max(initial=1) / counts))
    odds = np.where(findings == PRESENT, rarity, 1.0).max(axis=1, initial=1.0)
    _, patient, images = np.unique(data.patients, return_inverse=True, return_counts=True)
    odds = odds * np.minimum(1.0, PER_PATIENT / images[patient])
    return np.asarray(odds * [by_source.get(source, 1.0) for source in data.sources])
