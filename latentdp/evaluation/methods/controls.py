"""Controls: what any method must be held against before its numbers mean anything.

Raw images are the danger without protection; a prior sample with the same released label, and
the mean picture of a label, are what labels alone give; noise is what nothing at all gives.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from latentdp.core.arrays import UNKNOWN, Images, Labels, Latents
from latentdp.core.progress import ProgressCallback
from latentdp.errors import InputError
from latentdp.evaluation.methods._weights import Weights, lazily
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import Noise
from latentdp.privacy.plan import Action, Block
from latentdp.privacy.postprocessing import jitter
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.privacy.samplers.uniform import normal
from latentdp.privatizer import Privatizer
from latentdp.reports.evaluation_parts import ControlKind

if TYPE_CHECKING:
    from latentdp.data.cohort import Cohort

__all__ = ["LabelMean", "NoiseOnly", "PriorSample", "Raw", "examples_for", "group"]

group = "control"  # of the rows of a comparison


class Raw(Method):
    """The images as they are."""

    name = "raw"
    title = "the original image and its label"
    control = ControlKind.EVERYTHING

    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """Copies of both."""
        return np.array(images, dtype=np.float32), labels.copy()


class PriorSample(PresetMethod):
    """A new sample of the flow under the label that a preset releases, in the way it does.

    The whole latent is drawn from the prior. Whoever keeps anything of an image must do better.

    Args:
        like: The preset whose label release, flow and temperature this takes.
    """

    control = ControlKind.RELEASED_LABEL

    def __init__(self, like: PresetMethod) -> None:
        super().__init__(
            like.recipe.preset,
            like.weights,
            name=f"prior-sample-{like.name}",
            title=f"a fresh sample of the flow with the label that {like.name} releases",
        )
        self.recipe = like.recipe
        self._like = like

    def _make(self) -> Privatizer:
        """The preset's, with one block that is resampled."""
        like = self._like.privatizer
        everything = Block(action=Action.RESAMPLE, size=like.plan.d)
        return like.with_plan(replace(like.plan, blocks=(everything,), basis=None))

    def _latents(self, images: Images, labels: Labels) -> Latents:
        """None of the images': they are drawn anew, whatever they were."""
        return np.zeros((len(images), self.privatizer.plan.d))


class LabelMean(Method):
    """The mean training picture of the label, with a little noise: labels and nothing else.

    Args:
        deviation: Of the noise on each pixel, in grey levels from 0 to 1.
    """

    name = "label-mean"
    title = "the mean picture of the true label, and noise"
    learns: ClassVar[bool] = True
    control = ControlKind.TRUE_LABEL

    def __init__(self, deviation: float = 0.05) -> None:
        if not 0 <= deviation <= 1:
            raise InputError(f"expected a deviation in [0, 1], got {deviation}")
        self.deviation = deviation
        self._means: Images | None = None

    def fit(
        self, train: Cohort, val: Cohort, *, seed: int, state: Path, tell: ProgressCallback
    ) -> None:
        """Means ``(classes + 1, h, w)`` of each label; the last is of all images.

        Takes less than a second, so that nothing is kept in ``state``.
        """
        if not len(train):
            raise InputError("expected training images, got none")
        everyone = train.images.mean(axis=0)
        groups = [train.images[train.labels == k] for k in range(train.labels.max() + 1)]
        self._means = np.stack(
            [*(g.mean(axis=0) if len(g) else everyone for g in groups), everyone]
        )
        tell(1.0, "mean pictures")

    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """The labels' mean pictures; of the images nothing but their number."""
        if self._means is None:
            raise InputError(f"the method {self.name!r} must be fitted first")
        known = (labels != UNKNOWN) & (labels < len(self._means) - 1)
        means = self._means[np.where(known, labels, len(self._means) - 1)]
        noisy = means + self.deviation * normal(noise, means.shape)
        return np.clip(noisy, 0, 1).astype(np.float32), labels.copy()


class NoiseOnly(Method):
    """Uniform noise: nothing of the image, no label."""

    name = "noise-only"
    title = "uniform noise instead of an image"
    control = ControlKind.NOTHING

    @property
    def guarantee(self) -> Guarantee | None:
        """Nothing depends on the image."""
        return Guarantee(epsilon=0.0)

    def privatize(self, images: Images, labels: Labels, noise: Noise) -> tuple[Images, Labels]:
        """Noise of the images' shape."""
        uniform = (jitter(noise, images.shape) + 0.5).astype(np.float32)
        return np.minimum(uniform, 1), np.full_like(labels, UNKNOWN)


def examples_for(weights: Weights) -> tuple[Method, ...]:
    """The controls of a comparison; prior samples under a released and under a public label."""
    shared = lazily(weights)
    public = PresetMethod("balanced", shared, name="public-label", label=str(LabelRelease.PUBLIC))
    return (
        Raw(),
        PriorSample(PresetMethod("balanced", shared)),
        PriorSample(public),
        LabelMean(),
        NoiseOnly(),
    )
