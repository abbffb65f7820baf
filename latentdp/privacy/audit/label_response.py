"""Randomised response as a mechanism of one dimension, so that every look of an audit applies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Labels, Latents, check_latents
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.mechanisms.base import Mechanism, finite, without_clip
from latentdp.privacy.noise import Noise
from latentdp.privacy.randomized_response import RandomisedResponse

__all__ = ["LabelResponse"]


@dataclass(frozen=True, kw_only=True)
class LabelResponse(Mechanism):
    """The release of a label: a latent is rounded to a class, the nearest that there is.

    Attributes:
        dimensions: 1.
        classes: Number of classes, at least 2.
        threshold: The truth is told when a word of 64 random bits is below it.
    """

    name: ClassVar[str] = "randomised-response"
    dimensions: int = 1
    classes: int
    threshold: int

    def __post_init__(self) -> None:
        if self.dimensions != 1:
            raise InputError(f"expected 1 dimension for a label, got {self.dimensions}")
        _ = self.response

    @classmethod
    def of(cls, response: RandomisedResponse) -> Self:
        """The release that a plan has."""
        return cls(classes=response.classes, threshold=response.threshold)

    @classmethod
    def calibrate(cls, epsilon: float, dimensions: int, clip: float | None = None) -> Self:
        """Of two classes."""
        without_clip(cls.name, clip)
        response = RandomisedResponse.calibrate(epsilon, 2)
        return cls(dimensions=dimensions, classes=2, threshold=response.threshold)

    @property
    def response(self) -> RandomisedResponse:
        """What draws."""
        return RandomisedResponse(classes=self.classes, threshold=self.threshold)

    @property
    def guarantee(self) -> Guarantee:
        """Pure epsilon of the label."""
        return self.response.guarantee

    def perturb(self, latents: Latents, noise: Noise) -> NDArray[np.int64]:
        """Released classes ``(n, 1)``."""
        return self.response.respond(self.labels(latents), noise)[:, None]

    def repair(self, perturbed: NDArray[np.int64], noise: Noise) -> Latents:
        """The class as a number."""
        return perturbed.astype(np.float64)

    def log_likelihood(
        self, latents: Latents, perturbed: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """One of two values for each row, ``(n,)``."""
        return self.response.log_likelihood(self.labels(latents), perturbed[:, 0])

    def outcomes(self) -> NDArray[np.int64]:
        """All classes."""
        return np.arange(self.classes)[:, None]

    def labels(self, latents: Latents) -> Labels:
        """The class of each row, ``(n,)``."""
        z = finite(check_latents(latents, 1))[:, 0]
        return np.clip(np.rint(z), 0, self.classes - 1).astype(np.int64)
