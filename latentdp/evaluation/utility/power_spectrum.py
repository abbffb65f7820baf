"""Whether private images have as much detail of each size as originals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.evaluation.utility._statistics import Statistics
from latentdp.metrics.spectrum import bands

__all__ = ["PowerSpectrum", "utility"]


class PowerSpectrum(Statistics):
    """By the radially averaged power spectrum."""

    name = "power_spectrum"
    title = "whether private images of full size have the detail of originals, coarse to fine"
    what = "power of detail from coarse to fine"
    least = 56  # 64, less the rows of a mark

    def statistics(self, image: NDArray[np.float32]) -> NDArray[np.float64]:
        """As `bands`."""
        return bands(image)


utility = PowerSpectrum()
