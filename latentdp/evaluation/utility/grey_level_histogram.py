"""Whether private images use grey levels as originals do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.evaluation.utility._statistics import Statistics
from latentdp.metrics.grey_levels import grey_levels

__all__ = ["GreyLevelHistogram", "utility"]


class GreyLevelHistogram(Statistics):
    """By how often each grey level occurs."""

    name = "grey_level_histogram"
    title = "whether private images of full size have the grey levels of originals"
    what = "how often each grey level occurs"

    def statistics(self, image: NDArray[np.float32]) -> NDArray[np.float64]:
        """As `grey_levels`."""
        return grey_levels(image)


utility = GreyLevelHistogram()
