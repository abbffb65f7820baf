"""Whether edges of private images are as sharp as those of originals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.evaluation.utility._statistics import Statistics
from latentdp.metrics.sharpness import sharpness

__all__ = ["EdgeSharpness", "utility"]


class EdgeSharpness(Statistics):
    """By how steep usual and the steepest places are."""

    name = "edge_sharpness"
    title = "whether edges of private images of full size are as sharp as those of originals"
    what = "steepness of usual places and of edges"

    def statistics(self, image: NDArray[np.float32]) -> NDArray[np.float64]:
        """As `sharpness`."""
        return sharpness(image)


utility = EdgeSharpness()
