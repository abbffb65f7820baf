"""Gradients of a small network, image by image (torch.func).

Products are written as sums over one axis, not as matrix products: what a matrix product makes of
one row is rounded as the size of its batch has it, and then a patient more would change the last
digits of others, which no sensitivity covers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import grad, vmap
from torch.nn.functional import softplus

__all__ = ["ImageGradients"]

Matrix = NDArray[np.float64]


class ImageGradients:
    """Of one layer of hyperbolic tangents and logistic readers of these.

    Args:
        hidden: Units of the layer.
        findings: That are read.
    """

    def __init__(self, hidden: int, findings: int) -> None:
        self._hidden, self._findings = hidden, findings
        self._each: Callable[..., Tensor] = vmap(grad(self._loss), in_dims=(None, 0, 0, 0))

    def each(
        self, weights: NDArray[np.float64], features: Matrix, shown: NDArray[np.bool_],
        read: NDArray[np.bool_],
    ) -> Matrix:  # fmt: skip
        """The gradient of the loss of each image, ``(n, parameters)``.

        Args:
            weights: ``(parameters,)``: the hidden layer ``(hidden, k)``, then the last
                ``(findings, hidden + 1)``, whose last column is an offset.
            features: ``(n, k)``.
            shown: ``(n, findings)`` what each image shows.
            read: ``(n,)`` whether somebody read it; else its gradient is 0.
        """
        truth, counted = shown.astype(np.float64), read.astype(np.float64)
        arrays = (np.ascontiguousarray(a) for a in (weights, features, truth, counted))
        return np.asarray(self._each(*map(torch.from_numpy, arrays)).numpy(), dtype=np.float64)

    def _loss(self, weights: Tensor, features: Tensor, truth: Tensor, counted: Tensor) -> Tensor:
        size = self._hidden * features.shape[-1]
        first = weights[:size].reshape(self._hidden, -1)
        last = weights[size:].reshape(self._findings, -1)
        units = torch.tanh((first * features).sum(dim=-1))
        odds = (last[:, :-1] * units).sum(dim=-1) + last[:, -1]
        return counted * (softplus(odds) - truth * odds).sum()
