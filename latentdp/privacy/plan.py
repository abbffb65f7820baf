"""A plan: what happens to each latent dimension, and what that costs.

After a public orthonormal change of basis the latent vector is partitioned into blocks. A block is
*resampled* from the prior (costs nothing: fresh noise says nothing about the image), given to a
*mechanism* (costs its epsilon), or *kept* (unprotected, epsilon infinity).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from msgspec import UNSET

from latentdp.core.arrays import Latents, check_latents
from latentdp.core.attributes import Attribute
from latentdp.core.plugins import is_there, load, provider
from latentdp.errors import InputError
from latentdp.privacy.basis import Basis
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.mechanisms.base import Mechanism, finite, number
from latentdp.privacy.noise import Noise
from latentdp.privacy.plan_description import (
    BlockDescription,
    LabelDescription,
    PlanDescription,
)
from latentdp.privacy.randomized_response import LabelRelease, RandomisedResponse
from latentdp.privacy.samplers.uniform import normal
from latentdp.privacy.set_response import AttributeResponse, SetResponse

__all__ = ["EXACT_ATTRIBUTES", "EXACT_CLASS", "Action", "Block", "Plan"]

# What is released exactly where the label is.
EXACT_CLASS = "the class label"
EXACT_ATTRIBUTES = "the label: findings, and view, sex or age where it says them"

DELTA = 1e-6  # at which the approximate guarantee is stated
MOST_VALUES = 2**16  # of all attributes that a card answers


class Action(StrEnum):
    """What happens to a block."""

    RESAMPLE = "resample"
    MECHANISM = "mechanism"
    KEEP = "keep"


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some latent dimensions and what happens to them.

    Attributes:
        action: Resample, mechanism or keep.
        size: Number of dimensions, at least 1.
        mechanism: Made for ``size`` dimensions; only for `Action.MECHANISM`.
    """

    action: Action
    size: int
    mechanism: Mechanism | None = None

    def __post_init__(self) -> None:
        if (self.action is Action.MECHANISM) != (self.mechanism is not None):
            raise InputError("a block has a mechanism exactly if its action is mechanism")
        if self.size < 1:
            raise InputError(f"expected a block of at least 1 dimension, got {self.size}")
        if self.mechanism is not None and self.mechanism.dimensions != self.size:
            raise InputError(
                f"a mechanism for {self.mechanism.dimensions} dimensions was given {self.size}"
            )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Blocks that partition ``d`` latent dimensions, and the release of the label.

    Attributes:
        d: Size of the latent.
        blocks: One after the other, they are the ``d`` coordinates.
        basis: Of the coordinates; None for the latent's own elements.
        response: Randomised response of the label, if it is released that way: of a class, or of
            several attributes.
        label: How the label is released.
        several: Whether a label that is released exactly says several attributes, and not one
            class.
        temperature: Standard deviation of resampled dimensions.
    """

    d: int
    blocks: tuple[Block, ...]
    label: LabelRelease = LabelRelease.NONE
    several: bool = False
    response: RandomisedResponse | SetResponse | None = None
    temperature: float = 1.0
    basis: Basis | None = None

    def __post_init__(self) -> None:
        sizes = sum(b.size for b in self.blocks)
        if sizes != self.d:
            raise InputError(f"expected blocks of {self.d} dimensions together, got {sizes}")
        if (self.label is LabelRelease.RESPONSE) != (self.response is not None):
            raise InputError("a plan has a response exactly if the label is released by response")

    @property
    def guarantee(self) -> Guarantee:
        """Pure epsilon of the whole: infinity where anything is `unprotected`."""
        return Guarantee(epsilon=0.0).compose(*self._parts()).beside(*self.unprotected)

    def approximate(self, delta: float = DELTA) -> Guarantee:
        """The same noise as (epsilon, delta)."""
        approximations = [b.mechanism.approximate(delta) for b in self.blocks if b.mechanism]
        if len(approximations) > 1:  # their deltas add up
            delta /= len(approximations)
            approximations = [b.mechanism.approximate(delta) for b in self.blocks if b.mechanism]
        label = [self.response.guarantee] if self.response else []
        noised = Guarantee(epsilon=0.0).compose(*approximations, *label)
        return noised.beside(*self.unprotected)

    @property
    def unprotected(self) -> tuple[str, ...]:
        """What of the image is released exactly; epsilon is infinity for it."""
        released = []
        if self.label is LabelRelease.PUBLIC:
            exact = EXACT_ATTRIBUTES if self.several else EXACT_CLASS
            released.append(f"{exact}, released exactly")
        if self.keeps:
            released.append(f"{self.keeps} of {self.d} latent dimensions, passed on without noise")
        return tuple(released)

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """Names of the mechanisms that are used."""
        return tuple(b.mechanism.name for b in self.blocks if b.mechanism is not None)

    @property
    def keeps(self) -> int:
        """Number of latent dimensions that are passed on unprotected."""
        return sum(b.size for b in self.blocks if b.action is Action.KEEP)

    def apply(self, latents: Latents, noise: Noise) -> Latents:
        """New latents ``(n, d)``, each row from its own row only."""
        return self.complete(self.protect(latents, noise), noise)

    def protect(self, latents: Latents, noise: Noise) -> Latents:
        """Coordinates ``(n, d)`` as the mechanisms leave them; zero where they are resampled.

        All that follows the image: whatever is done next is post-processing.
        """
        z = self.coordinates(latents)
        out = np.zeros_like(z)
        for block, dims in zip(self.blocks, self.dims, strict=True):
            if block.mechanism is not None:
                out[:, dims] = block.mechanism.privatize(z[:, dims], noise=noise)
            elif block.action is Action.KEEP:
                out[:, dims] = finite(z[:, dims])
        return out

    def complete(self, coordinates: Latents, noise: Noise) -> Latents:
        """New latents ``(n, d)`` of what `protect` returned, drawn anew at each call."""
        out = coordinates.copy()
        for block, dims in zip(self.blocks, self.dims, strict=True):
            if block.action is Action.RESAMPLE:
                out[:, dims] = self.temperature * normal(noise, (len(out), block.size))
        return out if self.basis is None else self.basis.inverse(out)

    @property
    def reads(self) -> bool:
        """Whether anything of a latent is looked at; else any latent will do."""
        return any(block.action is not Action.RESAMPLE for block in self.blocks)

    @property
    def resamples(self) -> bool:
        """Whether anything is drawn that does not follow the image."""
        return any(block.action is Action.RESAMPLE for block in self.blocks)

    def coordinates(self, latents: Latents) -> Latents:
        """Latents ``(n, d)`` in the plan's basis: what its blocks see, one after the other."""
        z = check_latents(latents, self.d)
        if self.basis is None:
            return z
        # Bounded first, so that an infinite element does not make all coordinates NaN.
        return self.basis.forward(np.clip(finite(z), -1e100, 1e100))

    @property
    def dims(self) -> tuple[slice, ...]:
        """Which of the coordinates each block has."""
        ends = np.cumsum([0] + [b.size for b in self.blocks])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    def describe(self) -> PlanDescription:
        """For a release card: enough to recompute the guarantee (`from_card`)."""
        basis = "latent elements" if self.basis is None else "public directions of the weights"
        return PlanDescription(
            latent_dimensions=self.d,
            basis=basis,
            blocks=tuple(map(self._describe, self.blocks)),
            label=LabelDescription(release=str(self.label), several=self.several or UNSET)
            if self.response is None
            else self.response.describe(),
        )

    def _describe(self, block: Block) -> BlockDescription:
        action, size = str(block.action), block.size
        if block.mechanism is not None:
            return BlockDescription(
                action=action,
                dimensions=size,
                parameters=block.mechanism.describe(),
                provider=provider("mechanisms", block.mechanism.name) or UNSET,
                epsilon=block.mechanism.guarantee.epsilon,
            )
        if block.action is Action.RESAMPLE:
            return BlockDescription(
                action=action, dimensions=size, temperature=self.temperature, epsilon=0.0
            )
        return BlockDescription(action=action, dimensions=size, epsilon=None)  # unprotected

    @classmethod
    def from_card(cls, described: PlanDescription) -> Plan:
        """The plan that `describe` described, without its basis, which guarantees nothing.

        Raises:
            InputError: Something is missing or does not fit.
        """
        try:
            label = LabelRelease(described.label.release)
            response = None
            if label is LabelRelease.RESPONSE:
                response = _response(described.label)
            return cls(
                d=number(described.latent_dimensions, "int"),
                blocks=tuple(map(_block, described.blocks)),
                label=label,
                several=described.label.several is True,
                response=response,
            )
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise InputError("the plan on the card is incomplete or is none") from error

    def _parts(self) -> list[Guarantee]:
        parts = [b.mechanism.guarantee for b in self.blocks if b.mechanism is not None]
        return [*parts, self.response.guarantee] if self.response else parts


def _response(described: LabelDescription) -> RandomisedResponse | SetResponse:
    """What answers; of the attributes that are not answered, a card of it knows nothing."""
    if described.attributes is UNSET:
        return RandomisedResponse(
            classes=number(described.classes, "int"), threshold=number(described.threshold, "int")
        )
    parts = tuple(
        AttributeResponse(
            name=one.name,
            response=RandomisedResponse(
                classes=number(one.classes, "int"), threshold=number(one.threshold, "int")
            ),
        )
        for one in described.attributes
    )
    if sum(part.response.classes for part in parts) > MOST_VALUES:  # they are named below
        raise InputError(f"expected attributes of at most {MOST_VALUES:,} values together")
    attributes = tuple(
        Attribute(part.name, tuple(map(str, range(part.response.classes)))) for part in parts
    )
    return SetResponse(attributes=attributes, parts=parts)


def _block(described: BlockDescription) -> Block:
    mechanism = None
    if described.parameters is not UNSET:
        name = str(described.parameters["mechanism"])
        if described.provider is not UNSET and not is_there("mechanisms", name):
            raise InputError(
                f"the mechanism {name!r} is a plug-in of the package {described.provider}, which "
                "is not installed here: its guarantee can be recomputed only where it is"
            )
        mechanism = load("mechanisms", name).mechanism.from_card(described.parameters)
    size = number(described.dimensions, "int")
    return Block(action=Action(described.action), size=size, mechanism=mechanism)
