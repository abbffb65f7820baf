"""A flow that hides nothing: an image is its latent, and a critic takes sides.

A guarantee holds for every flow, every critic and every decoder, for all that follows the noise is
post-processing. So an audit may take those that show most of what a privatizer passes on: pixels
are the latent's elements, a label shifts them by more than a clip is wide, and the critic prefers
one side of the protected directions as strongly as any critic may. It has no network, so that an
audit affords a hundred thousand draws.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentdp.core.arrays import Images, Labels, Latents, check_images, check_latents
from latentdp.models.flow.add_ons import AddOns
from latentdp.models.flow.attributes import Attribute
from latentdp.models.flow.critic import MOST, Critic
from latentdp.models.flow.flow import Flow
from latentdp.models.model_card.card import ModelCard
from latentdp.privacy.noise import Noise, SeededNoise
from latentdp.privacy.samplers.uniform import normal
from latentdp.privatizer import Privatizer
from latentdp.recipe import ALL, Recipe

__all__ = ["TransparentFlow", "transparent"]

SIDE = 8  # pixels
DIRECTIONS = 48  # more than a preset asks for
CLASSES = ("0", "1", "2")
SHIFT = 8.0  # of a protected coordinate, from one class to the next
BIAS = 10.0  # nats
_PIXEL = 0.01  # grey value of one standard deviation: all that happens lies in [0, 1]


class TransparentFlow(Flow):
    """Between images of 8 by 8 pixels and latents that are these pixels, shifted and scaled.

    Args:
        side: ``(d,)`` the latent by which a label shifts, and whose side the critic takes.
        rows: ``(d, d)`` orthonormal; the first are its directions, and the others identity.
    """

    def __init__(self, side: NDArray[np.float64], rows: NDArray[np.float64]) -> None:
        self.card, self.name, self.sha256, self.exact = ModelCard(), "transparent", "", True
        self.micro_batch = 2**14
        self._side, self._directions = side, rows[:DIRECTIONS]
        self._add_ons = AddOns(identity=rows[DIRECTIONS:], critic=_Partisan(side))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of its images in pixels."""
        return (SIDE, SIDE)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return CLASSES

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """None: it is conditioned on classes."""
        return ()

    @property
    def levels(self) -> tuple[slice, ...]:
        """One."""
        return (slice(0, self.d),)

    @property
    def layout(self) -> NDArray[np.float64]:
        """The last of its directions."""
        return self.directions[::-1]

    def encode_and_rate(
        self, images: ArrayLike, labels: ArrayLike | None = None
    ) -> tuple[Latents, NDArray[np.float64]]:
        """Latents ``(n, d)``; nobody rates such images."""
        checked = check_images(images, self.shape).reshape(-1, self.d)
        known = self._known(labels, len(checked))
        return (checked - 0.5) / _PIXEL - self._shift(known), np.zeros(len(checked))

    def decode_valid(
        self, latents: ArrayLike, labels: ArrayLike | None = None
    ) -> tuple[Images, NDArray[np.bool_]]:
        """Images ``(n, h, w)``, all valid."""
        z = check_latents(latents, self.d)
        images = 0.5 + _PIXEL * (z + self._shift(self._known(labels, len(z))))
        shown = np.clip(images, 0, 1).astype(np.float32).reshape(-1, *self.shape)
        return shown, np.ones(len(z), dtype=np.bool_)

    def _shift(self, labels: Labels) -> Latents:
        return SHIFT * np.maximum(labels, 0)[:, None] * self._side


class _Partisan(Critic):
    """Prefers images the further they lie on one side, by as much as a critic may.

    Not by the side alone: of many candidates nearly always one lies there, whatever the image, and
    less is told than of few.
    """

    def __init__(self, side: NDArray[np.float64]) -> None:
        self._side = side

    def log_ratio(self, images: Images, labels: Labels) -> NDArray[np.float64]:
        """`BIAS` for each standard deviation ``(n,)``, up to the most either way."""
        product = (images.reshape(len(images), -1) - 0.5) / _PIXEL @ self._side
        by_label = SHIFT * np.maximum(labels, 0) * (self._side**2).sum()
        return np.asarray(np.clip(BIAS * (product - by_label), -MOST, MOST))


def transparent(recipe: Recipe, noise: Noise | None = None) -> Privatizer:
    """A recipe on the flow that hides nothing.

    Args:
        recipe: For any weights.
        noise: Only tests give one.

    Raises:
        InputError: More directions than the flow has, or a budget that is too small.
    """
    d = SIDE * SIDE
    square = normal(SeededNoise(7), (d, d))
    rows: NDArray[np.float64] = np.linalg.qr(square)[0].T
    spent = slice(recipe.keep_label_dims, recipe.keep_label_dims + recipe.directions)
    some = recipe.directions not in (0, ALL)
    side = rows[spent].sum(axis=0) if some else np.ones(d)
    flow = TransparentFlow(side, rows)
    return Privatizer(flow, replace(recipe, weights=flow.name, weights_sha256=""), noise)
