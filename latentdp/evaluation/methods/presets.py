"""Our presets as methods, so that an evaluation treats them like anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import cached_property
from typing import Any

import numpy as np

from latentdp.core.arrays import Images, Labels, Latents
from latentdp.errors import WeightsError
from latentdp.evaluation.methods._described import described
from latentdp.evaluation.methods._weights import Weights, lazily
from latentdp.evaluation.methods.base import Method
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import Noise
from latentdp.privatizer import Privatizer
from latentdp.recipe import PRESETS, Recipe

__all__ = ["BATCH", "PresetMethod", "examples_for", "group"]

group = "ours"  # of the rows of a comparison

BATCH = 256  # images in memory at a time; it changes no distribution
RIVALS = frozenset(
    {"dp-glow", "cadp"}
)  # presets for comparison; `latentdp.evaluation.methods` names them


class PresetMethod(Method):
    """A preset of `latentdp.recipe`, on given weights.

    Args:
        preset: Its name.
        weights: Of the flow; loaded when they are first needed.
        name: Of a row in a table; by default the preset's.
        title: By default the preset's summary.
        changes: Fields of the recipe that differ from the preset, such as ``epsilon=2.0``.

    Attributes:
        recipe: What was asked for.
        weights: What holds the flow.

    Raises:
        InputError: Unknown preset or field, or a value out of its range.
    """

    def __init__(
        self, preset: str, weights: Weights, *, name: str = "", title: str = "", **changes: Any
    ) -> None:
        self.weights = lazily(weights)
        self.recipe = Recipe.from_preset(preset, weights=self.weights.name, **changes)
        self.name = name or preset
        self.title = title or PRESETS[preset].summary

    @classmethod
    def of(cls, recipe: Recipe) -> PresetMethod:
        """A recipe as it is, whatever preset it began with; its title says what it does.

        Raises:
            WeightsError: It is bound to weights that are not those of its name.
        """
        changes = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
        method = cls(changes.pop("preset"), changes.pop("weights"), **changes)
        if recipe.weights_sha256 not in ("", method.weights.flow.sha256):
            raise WeightsError("the recipe was made for weights with another sha256")
        method.title = described(method.privatizer)
        return method

    @cached_property
    def privatizer(self) -> Privatizer:
        """All of it is public but the random bits."""
        return self._make()

    def _make(self) -> Privatizer:
        return Privatizer(self.weights.flow, self.recipe)

    @property
    def guarantee(self) -> Guarantee:
        """Of the image and its label; headers are no part of an evaluation."""
        return self.privatizer.plan.guarantee

    @property
    def settings(self) -> str:
        """The recipe, and the weights by their content."""
        return self.privatizer.recipe.digest

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
                release = self.privatizer.with_noise(noise).from_latents(latents, labels[rows])
                private[k, rows], released[k, rows] = release.images, release.labels
        return private, released

    def _latents(self, images: Images, labels: Labels) -> Latents:
        return self.privatizer.encode(images, labels)


def examples_for(weights: Weights) -> tuple[PresetMethod, ...]:
    """All presets of ours, but those that stand for a rival."""
    shared = lazily(weights)
    return tuple(PresetMethod(name, shared) for name in PRESETS if name not in RIVALS)
