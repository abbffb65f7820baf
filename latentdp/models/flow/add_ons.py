"""What a flow's weights may carry beside its network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from latentdp.models.flow.critic import Critic
from latentdp.models.flow.population import Population
from latentdp.models.super_resolution.cascade import SuperResolutionCascade

__all__ = ["AddOns"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AddOns:
    """What weights carry beside their network; each may be absent.

    Attributes:
        directions: ``(k, d)`` public directions of the latent, nearly orthonormal rows; None for
            none.
        identity: ``(m, l)`` public directions of identity, nearly orthonormal rows, in the first
            l dimensions; None for none.
        critic: Tells samples from originals, to choose among candidates; None for none.
        population: Which attributes occur together; None where it knows classes, and in older
            weights.
        cascade: Flows of the detail of larger images; may be empty.
    """

    directions: NDArray[Any] | None = None
    identity: NDArray[Any] | None = None
    critic: Critic | None = None
    population: Population | None = None
    cascade: SuperResolutionCascade = field(default_factory=SuperResolutionCascade)
