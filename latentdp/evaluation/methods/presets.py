"""Our presets as methods, so that an evaluation treats them like anything else."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from latentdp.core.arrays import Images, Labels, Latents
from latentdp.errors import WeightsError
from latentdp.evaluation.methods.base import Method
from latentdp.models.checkpoints import load
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import Noise
from latentdp.privatizer import Privatizer
from latentdp.recipe import PRESETS, Recipe

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["BATCH", "PresetMethod", "Weights", "flow_of", "examples_for", "group"]

group = "ours"  # of the rows of a comparison

BATCH = 256  # images in memory at a time; it changes no distribution
RIVALS = frozenset(
    {"dp-glow", "cadp"}
)  # presets for comparison; `latentdp.evaluation.methods` names them

Weights: TypeAlias = Union[str, "Flow"]
"""Name or path of weights, or a flow that is loaded already."""


def flow_of(weights: Weights) -> Flow:
    """The flow of these weights; those loaded last are kept."""
    return _loaded(weights) if isinstance(weights, str) else weights


@lru_cache(maxsize=2)
def _loaded(name: str) -> Flow:
    from latentdp.models.flow.flow import load_flow

    return load_flow(load(name))


class PresetMethod(Method):
    """A preset of `latentdp.recipe`, on given weights.

    Args:
        preset: Its name.
        weights: Of the flow; loaded when they are first needed.
        name: Of a row in a table; by default the preset's.
        title: By default the preset's summary.
        changes: Fields of the recipe that differ from the preset, such as ``epsilon=2.0``.

    Raises:
        InputError: Unknown preset or field, or a value out of its range.
    """

    def __init__(
        self, preset: str, weights: Weights, *, name: str = "", title: str = "", **changes: Any
    ) -> None:
        named = weights if isinstance(weights, str) else weights.name
        self.recipe = Recipe.from_preset(preset, weights=named, **changes)
        self.name = name or preset
        self.title = title or PRESETS[preset].summary
        self.weights = weights
        self._privatizer: Privatizer | None = None

    @classmethod
    def of(cls, recipe: Recipe) -> PresetMethod:
        """A recipe as it is, whatever preset it began with.

        Raises:
            WeightsError: It is bound to weights that are not those of its name.
        """
        made = cls(recipe.preset, recipe.weights)
        found = flow_of(recipe.weights).sha256
        if recipe.weights_sha256 not in ("", found):
            raise WeightsError("the recipe was made for weights with another sha256")
        made.recipe = recipe
        return made

    @property
    def privatizer(self) -> Privatizer:
        """All of it is public but the random bits."""
        if self._privatizer is None:
            self._privatizer = self._make()
        return self._privatizer

    def _make(self) -> Privatizer:
        return Privatizer(flow_of(self.weights), self.recipe)

    @property
    def guarantee(self) -> Guarantee | None:
        """Of the whole image but for its label, which may be released exactly.

        None where latent dimensions are kept: of those that are not, it says nothing of the image.
        """
        return None if self.privatizer.plan.keeps else self.privatizer.guarantee

    @property
    def protects_all(self) -> bool:
        """Whether the plan releases nothing exactly; headers are no part of an evaluation."""
        return not self.privatizer.plan.unprotected

    @property
    def settings(self) -> str:
        """The recipe, and the weights by their content."""
        return self.recipe.with_weights(flow_of(self.weights).sha256).digest

    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """Private images and the labels that the plan releases."""
        private, released = self.privatize_many(images, labels, [noise])
        return private[0], released[0]

    def privatize_many(
        self, images: Images, labels: Labels, noises: Sequence[Noise]
    ) -> tuple[Images, Labels]:
        """Copies of images that are encoded once."""
        private = np.empty((len(noises), *images.shape), dtype=np.float32)
        released = np.empty((len(noises), len(images)), dtype=np.int64)
        for i in range(0, len(images), BATCH):
            rows = slice(i, i + BATCH)
            latents = self._latents(images[rows], labels[rows])
            for k, noise in enumerate(noises):
                made = copy.copy(self.privatizer)  # the plan is computed once
                made.noise = noise
                release = made.from_latents(latents, labels[rows])
                private[k, rows], released[k, rows] = release.images, release.labels
        return private, released

    def _latents(self, images: Images, labels: Labels) -> Latents:
        return self.privatizer.encode(images, labels)


def examples_for(weights: Weights) -> tuple[PresetMethod, ...]:
    """All presets of ours, but those that stand for a rival."""
    return tuple(PresetMethod(name, weights) for name in PRESETS if name not in RIVALS)
