"""A plan as a card states it: enough to recompute its guarantee, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import UNSET, Struct, UnsetType

__all__ = [
    "AttributeDescription",
    "BlockDescription",
    "LabelDescription",
    "Parameters",
    "PlanDescription",
]

Parameters: TypeAlias = Mapping[str, int | float | str]
"""Of a mechanism, by name: ``mechanism`` is its own; the rest are numbers, or words on them."""


class BlockDescription(Struct, frozen=True, kw_only=True):
    """Some latent dimensions and what happens to them.

    Attributes:
        action: ``resample``, ``mechanism`` or ``keep``.
        dimensions: How many.
        parameters: Of the mechanism; unset without one.
        provider: The package, and its version, that brought the mechanism as a plug-in; unset for
            one of latentdp, or none.
        temperature: Standard deviation of what is resampled; unset for another action.
        epsilon: What it costs in nats; None for infinity, where they are kept.
    """

    action: str
    dimensions: int
    parameters: Parameters | UnsetType = UNSET
    provider: str | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    epsilon: float | None

    @property
    def mechanism(self) -> int | float | str | None:
        """The name of the mechanism; None without one."""
        return None if self.parameters is UNSET else self.parameters.get("mechanism")


class AttributeDescription(Struct, frozen=True, kw_only=True):
    """Randomised response of one attribute of a label.

    Attributes:
        name: Of the attribute.
        classes: Number of its values.
        threshold: The truth is told when a uniform 64-bit word is below it.
        truth_probability: That is how often.
        epsilon: What it costs, in nats.
    """

    name: str
    classes: int
    threshold: int
    truth_probability: float | UnsetType = UNSET
    epsilon: float | UnsetType = UNSET


class LabelDescription(Struct, frozen=True, kw_only=True):
    """What happens to the label.

    Attributes:
        release: ``none``, ``public`` or ``response``.
        several: Whether a label that is released exactly says several attributes. All else is of
            randomised response.
        mechanism: ``randomised-response``.
        attributes: What is answered, each by itself, where a label says several things; then
            the next three are theirs.
        classes: Number of them.
        threshold: The truth is told when a uniform 64-bit word is below it.
        truth_probability: That is how often.
        epsilon: What it costs, all together, in nats.
    """

    release: str
    several: bool | UnsetType = UNSET
    mechanism: str | UnsetType = UNSET
    attributes: tuple[AttributeDescription, ...] | UnsetType = UNSET
    classes: int | UnsetType = UNSET
    threshold: int | UnsetType = UNSET
    truth_probability: float | UnsetType = UNSET
    epsilon: float | UnsetType = UNSET


class PlanDescription(Struct, frozen=True, kw_only=True):
    """What happens to each latent dimension.

    Attributes:
        latent_dimensions: How many there are.
        basis: What the coordinates are of.
        blocks: One after the other, they are the coordinates.
        label: What happens to the label.
    """

    latent_dimensions: int
    basis: str
    blocks: tuple[BlockDescription, ...]
    label: LabelDescription
