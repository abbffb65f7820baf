"""Epsilon in a document: a number, or none and the reason why it is infinity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

from msgspec import UNSET, Struct, UnsetType, structs

from latentdp.privacy.guarantee import Guarantee

__all__ = ["StatedEpsilon"]


class StatedEpsilon(Struct, frozen=True, kw_only=True):
    """Epsilon and delta of a whole release, as a document states them.

    Attributes:
        epsilon: In nats, at least 0; None for infinity.
        reason: Why it is infinity; unset where it is not.
        epsilon_of_noised_part: Of what is noised alone, between sources that agree in all that is
            released exactly. It bounds nothing of the whole; unset where epsilon is that.
        delta: In [0, 1].
    """

    epsilon: float | None
    reason: str | UnsetType = UNSET
    epsilon_of_noised_part: float | UnsetType = UNSET
    delta: float

    @classmethod
    def of(cls, guarantee: Guarantee, **more: Any) -> Self:
        """A guarantee as it is stated, with the other fields of the class."""
        noised = guarantee.noised_part.epsilon
        return cls(
            epsilon=guarantee.epsilon if math.isfinite(guarantee.epsilon) else None,
            reason=guarantee.reason or UNSET,
            epsilon_of_noised_part=noised
            if guarantee.unprotected and math.isfinite(noised)
            else UNSET,
            delta=guarantee.delta,
            **more,
        )

    @property
    def value(self) -> float:
        """Epsilon as a number; what states none comes last where it is sorted."""
        return math.inf if self.epsilon is None else self.epsilon

    def beside(self, unprotected: Sequence[str]) -> Self:
        """What is left of it where these are released exactly as well: infinity."""
        if not unprotected or self.epsilon is None:
            return self
        whole = Guarantee(epsilon=self.epsilon, delta=self.delta).beside(*unprotected)
        return structs.replace(
            self, epsilon=None, reason=whole.reason, epsilon_of_noised_part=self.epsilon
        )
