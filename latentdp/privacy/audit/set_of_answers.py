"""Randomised response of a set as a mechanism, so that every look of an audit applies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Labels, Latents, check_latents
from latentdp.core.attributes import Attribute, finding, labels_of, values_of
from latentdp.privacy.audit.label_response import LabelResponse
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.mechanisms.base import Mechanism, Part, finite, without_clip
from latentdp.privacy.noise import Noise
from latentdp.privacy.randomized_response import RandomisedResponse
from latentdp.privacy.set_response import SetResponse

__all__ = ["SetOfAnswers", "mechanism_of"]

_MOST = 4096  # outcomes that are listed


@dataclass(frozen=True, kw_only=True)
class SetOfAnswers(Mechanism):
    """The release of several attributes: each dimension of a latent is rounded to a value of one.

    Attributes:
        dimensions: As many as attributes are released.
        response: What draws, and knows no other attributes.
    """

    name: ClassVar[str] = "randomised-response"
    dimensions: int
    response: SetResponse

    @classmethod
    def of(cls, response: SetResponse) -> Self:
        """The release that a plan has."""
        names = [part.name for part in response.parts]
        attributes = tuple(one for one in response.attributes if one.name in names)
        alone = SetResponse(attributes=attributes, parts=response.parts)
        return cls(dimensions=len(names), response=alone)

    @classmethod
    def calibrate(cls, epsilon: float, dimensions: int, clip: float | None = None) -> Self:
        """Of as many findings."""
        without_clip(cls.name, clip)
        names = [str(i) for i in range(dimensions)]
        return cls.of(SetResponse.calibrate(epsilon, [finding(name) for name in names], names))

    @property
    def guarantee(self) -> Guarantee:
        """Pure epsilon of the set."""
        return self.response.guarantee

    def perturb(self, latents: Latents, noise: Noise) -> NDArray[np.int64]:
        """Released values ``(n, dimensions)``."""
        return values_of(self._attributes, self.response.respond(self.labels(latents), noise))

    def repair(self, perturbed: NDArray[np.int64], noise: Noise) -> Latents:
        """The values as numbers."""
        return perturbed.astype(np.float64)

    def log_likelihood(
        self, latents: Latents, perturbed: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Of each row, ``(n,)``."""
        released = labels_of(self._attributes, perturbed)
        return self.response.log_likelihood(self.labels(latents), released)

    def outcomes(self) -> NDArray[np.int64] | None:
        """All sets of values, if there are few."""
        sizes = [len(one.values) for one in self._attributes]
        return np.array(list(product(*map(range, sizes)))) if prod(sizes) <= _MOST else None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The answers one by one."""
        return tuple((LabelResponse.of(part.response), 1) for part in self.response.parts)

    def labels(self, latents: Latents) -> Labels:
        """The label of each row, ``(n,)``."""
        z = np.rint(finite(check_latents(latents, self.dimensions)))
        highest = [len(one.values) - 1 for one in self._attributes]
        return labels_of(self._attributes, np.clip(z, 0, highest).astype(np.int64))

    @property
    def _attributes(self) -> tuple[Attribute, ...]:
        return self.response.attributes


def mechanism_of(response: RandomisedResponse | SetResponse) -> Mechanism:
    """The release of a label, of either kind, as an audit takes it."""
    if isinstance(response, SetResponse):
        return SetOfAnswers.of(response)
    return LabelResponse.of(response)
