"""Steps along noisy gradients: momentum, and the mean of the later half of all weights.

Nothing here touches a patient: what comes in is released already.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Descent"]

Array = NDArray[np.float64]


class Descent:
    """Weights on their way (Polyak 1964; averaged as Polyak and Juditsky 1992).

        >>> import numpy as np
        >>> way = Descent(np.zeros(1), rounds=2, step=1.0)
        >>> for _ in range(2):
        ...     way.follow(np.array([-1.0]))
        >>> way.weights.tolist(), way.averaged.tolist()
        ([2.9], [2.9])

    Args:
        weights: To start from, of any shape; public.
        rounds: How many there will be, at least 1.
        step: Length of a step over the gradient.
        momentum: Share of a step that goes on into the next, in [0, 1).

    Attributes:
        weights: Of now.
        averaged: Mean over the later half of the rounds, once all are done.
    """

    def __init__(self, weights: Array, *, rounds: int, step: float, momentum: float = 0.9) -> None:
        self.weights, self.averaged = weights, np.zeros_like(weights)
        self._velocity = np.zeros_like(weights)
        self._rounds, self._step, self._momentum = rounds, step, momentum
        self._done = 0

    def follow(self, gradient: Array) -> None:
        """Takes a step against a gradient of the shape of the weights."""
        self._velocity = self._momentum * self._velocity + gradient
        self.weights = self.weights - self._step * self._velocity
        first = self._rounds // 2
        if self._done >= first:
            self.averaged += self.weights / (self._rounds - first)
        self._done += 1
