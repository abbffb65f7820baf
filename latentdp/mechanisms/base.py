"""The contract of a mechanism.

A mechanism module defines one frozen dataclass and two names: ``mechanism`` (the class) and
``examples`` (instances that the contract tests run over). Nothing has to be registered: the
command, the documentation and the tests list the folder.

The dataclass's fields are the mechanism's real parameters, and ``guarantee`` is computed from
them. The clip is part of ``privatize`` and comes before the noise, per image, so that the bound
holds for any input, also one made by an adversary.
"""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np

from latentdp.arrays import Latents
from latentdp.guarantee import Guarantee
from latentdp.noise import Noise

__all__ = ["Mechanism", "finite"]


class Mechanism(Protocol):
    """Privatizes ``(n, dimensions)`` latents, each row on its own."""

    @property
    def dimensions(self) -> int:
        """Number of latent dimensions that it is made for."""

    @property
    def guarantee(self) -> Guarantee:
        """Of one whole row, derived from the parameters."""

    def approximate(self, delta: float) -> Guarantee:
        """The same noise read as (epsilon, delta); never larger than ``guarantee``."""

    def privatize(self, latents: Latents, /, *, noise: Noise) -> Latents:
        """Clip, then noise, then repair. The input is not changed."""

    def describe(self) -> dict[str, Any]:
        """The parameters that determine the guarantee, for a card; JSON values only."""

    @classmethod
    def calibrate(cls, epsilon: float, dimensions: int, clip: float | None = None) -> Self:
        """The instance that spends at most ``epsilon`` on one whole row."""


def finite(latents: Latents) -> Latents:
    """NaN becomes 0 and infinities the largest floats: a clip then bounds every input."""
    return np.nan_to_num(latents, nan=0.0)
