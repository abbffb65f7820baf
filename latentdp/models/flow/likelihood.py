"""Which images are unlike those that a flow was trained on, by two numbers that it gives them.

Bits per dimension, and the mean square of the coarsest latents, which sees what the likelihood
hardly does: a body that is turned, inverted or another one. Between which values nearly all
images like its training's lie is measured by `latentdp.models.model_card.flow` and stands on the
card.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Latents

__all__ = ["bits_per_dimension", "mean_square", "outside"]

Values = NDArray[np.float64]


def bits_per_dimension(nats: Values | np.float64, d: int) -> Values:
    """Bits per dimension at 256 grey levels.

    Args:
        nats: Log-densities of images whose values lie in an interval of length 1, in nats.
        d: Number of dimensions.
    """
    return np.asarray(8 - nats / (d * math.log(2)))


def mean_square(latents: Latents, level: slice) -> Values:
    """Mean square ``(n,)`` of a level's latents ``(n, d)``: about 1 where the flow is right."""
    return np.asarray(np.square(latents[:, level]).mean(axis=1))


def outside(values: Values, usual: tuple[float, float]) -> NDArray[np.bool_]:
    """Which of some numbers ``(n,)`` lie outside their usual range, or are none at all."""
    low, high = usual
    return np.asarray(~((values >= low) & (values <= high)))  # so that NaN is outside
