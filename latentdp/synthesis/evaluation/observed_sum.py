"""Noisy sums as an attacker sees them: every one that is released, in its order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentdp.privacy.noise import Noise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.privacy.samplers.uniform import normal
from latentdp.synthesis.plan import SynthesisPlan

__all__ = ["ObservedSum", "observed"]


@dataclass(frozen=True, kw_only=True)
class ObservedSum(NoisySum):
    """Another one, whose releases are kept.

    Attributes:
        inner: That quantises, and draws the noise.
        exact: Whether it does; else the same noise is drawn in floating point, which is some times
            faster and protects nobody.
        released: Noisy sums so far.
    """

    inner: NoisySum
    exact: bool = True
    released: list[NDArray[np.float64]] = field(default_factory=list)

    @classmethod
    def of(cls, inner: NoisySum, *, exact: bool) -> Self:
        """Nothing was released yet."""
        return cls(grid=inner.grid, scale=inner.scale, inner=inner, exact=exact)

    def quantise(self, records: NDArray[np.float64]) -> NDArray[np.int64]:
        """As the other does."""
        return self.inner.quantise(records)

    def release(self, total: NDArray[np.int64], noise: Noise) -> NDArray[np.float64]:
        """As the other does, or nearly."""
        if self.exact:
            noisy = self.inner.release(total, noise)
        else:
            noisy = np.rint(total + self.scale * normal(noise, total.shape)) / self.grid
        self.released.append(noisy)
        return noisy


def observed(
    plan: SynthesisPlan, *, exact: bool
) -> tuple[SynthesisPlan, ObservedSum, ObservedSum]:
    """A plan whose releases are seen: the plan, its statistics and its gradients.

    Args:
        plan: As on a card.
        exact: As of `ObservedSum`.
    """
    statistics, gradients = (
        ObservedSum.of(one, exact=exact) for one in (plan.statistics, plan.gradients)
    )
    return replace(plan, statistics=statistics, gradients=gradients), statistics, gradients
