"""A plan: what happens to each latent dimension, and what that costs.

The latent vector is partitioned into blocks. A block is *resampled* from the prior (costs
nothing: fresh noise says nothing about the image), given to a *mechanism* (costs its epsilon),
or *kept* (unprotected, epsilon infinity).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from latentdp.arrays import Latents, check_latents
from latentdp.errors import InputError
from latentdp.guarantee import Guarantee
from latentdp.labels import LabelRelease, RandomisedResponse
from latentdp.mechanisms.base import Mechanism, finite
from latentdp.noise import Noise
from latentdp.plugins import load
from latentdp.recipe import ALL, Recipe
from latentdp.samplers import normal

__all__ = ["Action", "Block", "Plan"]

DELTA = 1e-6  # at which the approximate guarantee is stated


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
        dims: Indices into the latent vector, coarse levels first.
        mechanism: Made for ``len(dims)`` dimensions; only for `Action.MECHANISM`.
    """

    action: Action
    dims: tuple[int, ...]
    mechanism: Mechanism | None = None

    def __post_init__(self) -> None:
        if (self.action is Action.MECHANISM) != (self.mechanism is not None):
            raise InputError("a block has a mechanism exactly if its action is mechanism")
        if self.mechanism is not None and self.mechanism.dimensions != len(self.dims):
            raise InputError(
                f"a mechanism for {self.mechanism.dimensions} dimensions "
                f"was given {len(self.dims)}"
            )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Blocks that partition ``d`` latent dimensions, and the release of the label.

    Attributes:
        d: Size of the latent.
        blocks: A partition of ``range(d)``.
        response: Randomised response of the label, if it is released that way.
        label: How the label is released.
        temperature: Standard deviation of resampled dimensions.
    """

    d: int
    blocks: tuple[Block, ...]
    label: LabelRelease = LabelRelease.NONE
    response: RandomisedResponse | None = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        dims = np.concatenate([np.asarray(b.dims, dtype=np.int64) for b in self.blocks])
        if not np.array_equal(np.sort(dims), np.arange(self.d)):
            raise InputError("the blocks of a plan must hold every latent dimension exactly once")
        if (self.label is LabelRelease.RESPONSE) != (self.response is not None):
            raise InputError("a plan has a response exactly if the label is released by response")

    @classmethod
    def make(cls, recipe: Recipe, *, d: int, ranking: tuple[int, ...], classes: int) -> Plan:
        """The plan of a recipe.

        Args:
            recipe: What to spend on what.
            d: Size of the latent.
            ranking: Latent dimensions by how much they say about the label on public data,
                best first; a public constant of the weights.
            classes: Number of classes that the weights know.

        Raises:
            InputError: The weights cannot do what the recipe asks, or the budget is too small.
        """
        label = LabelRelease(recipe.label)
        if label is not LabelRelease.NONE and classes < 2:
            raise InputError("these weights know no classes, so no label can be released")
        kept = recipe.keep_label_dims
        spent = d - kept if recipe.directions == ALL else recipe.directions
        if kept + (0 if recipe.directions == ALL else spent) > len(ranking) or kept > d:
            raise InputError(
                f"expected at most {len(ranking)} kept and protected dimensions together "
                f"with these weights, got {kept} and {recipe.directions}"
            )
        response = None
        budget = recipe.epsilon
        if label is LabelRelease.RESPONSE:
            share = 1.0 if spent == 0 else recipe.label_share
            response = RandomisedResponse.calibrate(recipe.epsilon * share, classes)
            budget = (budget - response.guarantee.epsilon) * (1 - 1e-12)  # the sum is rounded up
        rest = np.setdiff1d(np.arange(d), ranking[:kept])
        dims = tuple(map(int, rest)) if recipe.directions == ALL else ranking[kept : kept + spent]
        blocks = []
        if kept:
            blocks.append(Block(action=Action.KEEP, dims=ranking[:kept]))
        if dims:
            kind = load("mechanisms", recipe.mechanism).mechanism
            made = kind.calibrate(budget, len(dims), recipe.clip)
            blocks.append(Block(action=Action.MECHANISM, dims=dims, mechanism=made))
        fresh = tuple(map(int, np.setdiff1d(rest, dims)))
        if fresh:
            blocks.append(Block(action=Action.RESAMPLE, dims=fresh))
        return cls(
            d=d,
            blocks=tuple(blocks),
            label=label,
            response=response,
            temperature=recipe.temperature,
        )

    @property
    def guarantee(self) -> Guarantee:
        """Pure epsilon of everything that is protected; `unprotected` lists the rest."""
        return Guarantee(epsilon=0.0).compose(*self._parts())

    def approximate(self, delta: float = DELTA) -> Guarantee:
        """The same noise as (epsilon, delta)."""
        approximations = [b.mechanism.approximate(delta) for b in self.blocks if b.mechanism]
        if len(approximations) > 1:  # their deltas add up
            delta /= len(approximations)
            approximations = [b.mechanism.approximate(delta) for b in self.blocks if b.mechanism]
        label = [self.response.guarantee] if self.response else []
        return Guarantee(epsilon=0.0).compose(*approximations, *label)

    @property
    def unprotected(self) -> tuple[str, ...]:
        """What of the image is released exactly; epsilon is infinity for it."""
        found = []
        if self.label is LabelRelease.PUBLIC:
            found.append("the class label, released exactly")
        if self.keeps:
            found.append(f"{self.keeps} of {self.d} latent dimensions, passed on without noise")
        return tuple(found)

    @property
    def keeps(self) -> int:
        """Number of latent dimensions that are passed on unprotected."""
        return sum(len(b.dims) for b in self.blocks if b.action is Action.KEEP)

    def apply(self, latents: Latents, noise: Noise) -> Latents:
        """New latents ``(n, d)``, each row from its own row only."""
        z = check_latents(latents, self.d)
        out = np.empty_like(z)
        for block in self.blocks:
            dims = np.asarray(block.dims)
            if block.action is Action.RESAMPLE:
                out[:, dims] = self.temperature * normal(noise, (len(z), len(dims)))
            elif block.mechanism is not None:
                out[:, dims] = block.mechanism.privatize(z[:, dims], noise=noise)
            else:
                out[:, dims] = finite(z[:, dims])
        return out

    def describe(self) -> dict[str, Any]:
        """For a release card: enough to recompute the guarantee."""
        blocks: list[dict[str, Any]] = []
        for b in self.blocks:
            entry: dict[str, Any] = {"action": str(b.action), "dimensions": len(b.dims)}
            if b.action is not Action.RESAMPLE and len(b.dims) < self.d:
                entry["dims"] = list(b.dims)
            if b.mechanism is not None:
                entry["parameters"] = b.mechanism.describe()
                entry["epsilon"] = b.mechanism.guarantee.epsilon
            elif b.action is Action.RESAMPLE:
                entry["temperature"] = self.temperature
                entry["epsilon"] = 0.0
            else:
                entry["epsilon"] = None  # infinity: unprotected
            blocks.append(entry)
        label: dict[str, Any] = {"release": str(self.label)}
        if self.response is not None:
            label |= self.response.describe() | {"epsilon": self.response.guarantee.epsilon}
        return {"latent_dimensions": self.d, "blocks": blocks, "label": label}

    def _parts(self) -> list[Guarantee]:
        parts = [b.mechanism.guarantee for b in self.blocks if b.mechanism is not None]
        return [*parts, self.response.guarantee] if self.response else parts
