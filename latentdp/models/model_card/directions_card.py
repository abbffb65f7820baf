"""What a model card says of public directions, and what the first k of them carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import UNSET, Struct, UnsetType

__all__ = [
    "DirectionShares",
    "DirectionsCard",
    "IdentityCard",
    "Interval",
    "ProbeRow",
    "ProbeTable",
]

Interval: TypeAlias = tuple[float, float, float]  # a value, and its 95 % interval


class ProbeRow(Struct, frozen=True, kw_only=True):
    """AUC without noise of some dimensions; None where it cannot be measured.

    Attributes:
        finding: One finding against the rest, within source and view.
        identity: Two images of one patient against two alike of two patients.
        identity_any: The same against any two patients.
        view: AP against PA.
    """

    finding: Interval | None
    identity: Interval | None
    identity_any: Interval | UnsetType | None = UNSET
    view: Interval | UnsetType | None = UNSET


class ProbeTable(Struct, frozen=True, kw_only=True):
    """What the first k directions carry, and what others in their place would.

    Attributes:
        split: That it was measured on.
        images: Of that split.
        sizes: Each k, rising.
        baselines: Others that they are compared with, by name, in words.
        all: Of the whole latent.
        directions: A row for each k.
        lda: The same for a baseline; perhaps fewer.
        principal: The same.
        coordinates: The same.
        random: The same.
    """

    split: str
    images: int
    sizes: tuple[int, ...]
    baselines: Mapping[str, str]
    all: ProbeRow
    directions: tuple[ProbeRow, ...]
    lda: tuple[ProbeRow, ...] | UnsetType = UNSET
    principal: tuple[ProbeRow, ...] | UnsetType = UNSET
    coordinates: tuple[ProbeRow, ...] | UnsetType = UNSET
    random: tuple[ProbeRow, ...] | UnsetType = UNSET

    @property
    def compared(self) -> dict[str, tuple[ProbeRow, ...]]:
        """Rows of each baseline that there are rows of, by its name."""
        rows = {name: getattr(self, name, UNSET) for name in self.baselines}
        return {name: measured for name, measured in rows.items() if measured is not UNSET}


class DirectionShares(Struct, frozen=True, kw_only=True):
    """What each direction says, best first.

    Attributes:
        finding: Variance between findings over variance within them.
        patient: The patient's part of the latter.
    """

    finding: tuple[float, ...]
    patient: tuple[float, ...]


class IdentityCard(Struct, frozen=True, kw_only=True):
    """Directions of identity.

    Attributes:
        count: How many there are.
        compared: The first of them, in the order of what the images of one patient share.
        patients_with_pairs: Patients with several images.
        intraclass_correlations: Of the latter at even distances.
    """

    count: int
    compared: int
    patients_with_pairs: int
    intraclass_correlations: tuple[float, ...]


class DirectionsCard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Public directions of the latent.

    Attributes:
        count: How many there are.
        discriminants: The first of them, which separate findings.
        ratios: Of these, finding scatter over the denominator.
        alpha: Shrinkage of the scatter within findings, in [0, 1].
        gamma: Weight of the scatter between patients, in [0, 1).
        images: With a known finding, which they come from.
        images_compared: Of these, those in strata with two findings or more.
        patients_with_pairs: Patients with several images.
        shares: What each direction says, by the split's name.
        probes: What the first k carry.
        identity: Directions of identity; None for none.
    """

    count: int
    discriminants: int
    ratios: tuple[float, ...]
    alpha: float
    gamma: float
    images: int
    images_compared: int
    patients_with_pairs: int
    shares: Mapping[str, DirectionShares]
    probes: ProbeTable
    identity: IdentityCard | None = None
