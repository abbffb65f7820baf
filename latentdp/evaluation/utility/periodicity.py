"""Whether private images show a grid: steps at every k-th column or row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.evaluation.utility._statistics import Statistics
from latentdp.metrics.periodicity import periodicity

__all__ = ["Periodicity", "utility"]


class Periodicity(Statistics):
    """By differences between neighbours, by their position modulo 2 to 16."""

    name = "periodicity"
    title = "whether private images of full size show a grid that originals have not"
    what = "steps at every 2nd to 16th column and row"
    least = 17

    def statistics(self, image: NDArray[np.float32]) -> NDArray[np.float64]:
        """As `periodicity`."""
        return periodicity(image)


utility = Periodicity()
