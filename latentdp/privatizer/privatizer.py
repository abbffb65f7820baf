"""Flow + plan + noise: images in, private images and their guarantee out."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentdp.core.arrays import (
    UNKNOWN,
    Images,
    Latents,
    check_images,
    check_labels,
    check_latents,
)
from latentdp.errors import InputError, WeightsError
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import Noise, SystemNoise
from latentdp.privacy.plan import Plan
from latentdp.privacy.randomized_response import LabelRelease, Unlabelled
from latentdp.privatizer.candidates import draw_images
from latentdp.privatizer.planning import make_plan
from latentdp.privatizer.release import Rating, Release
from latentdp.recipe import Recipe

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["Privatizer"]


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Privatizer:
    """Privatizes images that are in memory. Accounting per patient is the caller's.

        >>> import numpy as np, latentdp
        >>> privatizer = latentdp.Privatizer.load(preset="balanced", label="none")
        >>> release = privatizer(np.full((2, 64, 64), 0.5))
        >>> release.images.shape
        (2, 64, 64)
        >>> print(release.guarantee)
        epsilon 7.99854 per image (replace-one)

    Nothing of it changes: `with_noise` and `with_plan` give another one with the same networks.

    Args:
        flow: Between images and latents.
        recipe: What to spend on what.
        noise: Where random bits come from. Only tests give one; the default is the operating
            system's.

    Attributes:
        flow: As given.
        recipe: As given, bound to the flow's weights.
        noise: Where random bits come from.
        plan: What the recipe does to each part of a latent; it is made from the recipe.

    Raises:
        InputError: The weights cannot do what the recipe asks, or the budget is too small.
    """

    flow: Flow
    recipe: Recipe
    noise: Noise
    plan: Plan

    def __init__(self, flow: Flow, recipe: Recipe, noise: Noise | None = None) -> None:
        recipe = recipe.with_weights(flow.sha256)
        plan = make_plan(
            recipe,
            d=flow.d,
            directions=flow.directions,
            classes=len(flow.classes),
            identity=flow.identity if recipe.resample_identity else None,
        )
        noise = SystemNoise() if noise is None else noise
        vars(self).update(flow=flow, recipe=recipe, noise=noise, plan=plan)
        least = max(flow.shape[0], recipe.profile.min_size)
        if self.size < least:
            raise InputError(
                f"expected a size of at least {least} pixels, for these weights and this "
                f"transfer syntax, got {self.size}"
            )

    @classmethod
    def load(cls, weights: str = "cxr-adult", *, preset: str = "balanced", **changes: Any) -> Self:
        """Loads shipped weights by name, or a file by path, under a preset.

        Args:
            weights: Name or path.
            preset: Name of a preset.
            changes: Fields of `Recipe` that differ from the preset, such as ``epsilon=2.0``.
        """
        return cls.from_recipe(Recipe.from_preset(preset, weights=weights, **changes))

    @classmethod
    def from_recipe(
        cls, recipe: Recipe, noise: Noise | None = None, *, exact: bool = False
    ) -> Self:
        """Loads what a recipe names.

        Args:
            recipe: With the name of weights.
            noise: Only tests give one.
            exact: Networks in float32 even where bfloat16 is faster; the guarantee is the same.

        Raises:
            WeightsError: The recipe is bound to weights of another digest.
        """
        from latentdp.models.flow.flow import load_flow

        flow = load_flow(recipe.weights, exact=exact)
        if recipe.weights_sha256 not in ("", flow.sha256):
            raise WeightsError("the recipe was made for weights with another sha256")
        return cls(flow, recipe, noise)

    def with_noise(self, noise: Noise) -> Self:
        """The same privatizer with other random bits; its plan is not made again."""
        return self._changed("noise", noise)

    def with_plan(self, plan: Plan) -> Self:
        """The same flow, recipe and noise under another plan, for controls and for tests.

        Args:
            plan: Of as many dimensions. It outranks the recipe, which then says nothing of it.
        """
        return self._changed("plan", plan)

    def _changed(self, name: str, value: Any) -> Self:
        other = copy.copy(self)  # `replace` would make the plan again
        vars(other)[name] = value
        return other

    @property
    def guarantee(self) -> Guarantee:
        """Of each output file; epsilon is infinity where anything is unprotected."""
        return self._of_file(self.plan.guarantee)

    @property
    def unprotected(self) -> tuple[str, ...]:
        """What of an input file is released exactly, of its pixels, label or DICOM header."""
        return self.guarantee.unprotected

    @property
    def size(self) -> int:
        """Pixels on a side of an output file."""
        return self.recipe.profile.size or self.flow.shape[0]

    @property
    def octaves(self) -> tuple[int, ...]:
        """Sizes in pixels up to which detail is drawn on the way to `size`."""
        if not self.recipe.profile.detail:
            return ()
        return self.flow.cascade.steps(self.flow.shape[0], self.size)

    @property
    def candidates(self) -> int:
        """Images that are drawn for each release, of which a public critic chooses one."""
        if self.flow.critic is None or not self.plan.resamples:
            return 1
        return self.recipe.candidates

    @property
    def approximate(self) -> Guarantee:
        """The same noise read as (epsilon, delta = 1e-6)."""
        return self._of_file(self.plan.approximate())

    def _of_file(self, of_image: Guarantee) -> Guarantee:
        """A guarantee of the plan as that of a file, whose header may pass something on."""
        return self._of_image(of_image).beside(*self.recipe.profile.unprotected)

    def _of_image(self, of_plan: Guarantee) -> Guarantee:
        """A guarantee of the plan as that of an image and its label."""
        noised = replace(of_plan, secure=self.noise.secure)
        return noised.beside(*self.recipe.told_of_label)

    def __call__(self, images: ArrayLike, /, *, labels: ArrayLike | None = None) -> Release:
        """Privatizes images ``(n, h, w)`` in [0, 1], each on its own.

        Args:
            images: Floats of the flow's shape.
            labels: Class indices ``(n,)``, -1 or None for unknown.
        """
        return self.release_and_rate(images, labels=labels)[0]

    def release_and_rate(
        self, images: ArrayLike, /, *, labels: ArrayLike | None = None
    ) -> tuple[Release, Rating]:
        """What a call returns and, for the eyes of whoever may see the images, their rating.

        Under a plan that releases labels by response, an unknown label is answered by a random
        class, which costs the same, or released as unknown, if the recipe says so.

        Args:
            images: Floats of the flow's shape.
            labels: Class indices ``(n,)``, -1 or None for unknown. They are used only as the
                recipe says: not at all, through randomised response, or as public.
        """
        encoded, bits = self._encode(images, labels)
        rating = Rating(bits=bits, odd=self.flow.out_of_distribution(encoded, bits))
        return self.from_latents(encoded, labels), rating

    def encode(self, images: ArrayLike, labels: ArrayLike | None = None) -> Latents:
        """Latents ``(n, d)`` as a release of these images encodes them: **private**.

        Only a label that is public may shape the latent: under "unknown" what the image says of
        its label stays in the latent, where the plan's blocks decide about it.
        """
        return self._encode(images, labels)[0]

    def from_latents(self, latents: ArrayLike, labels: ArrayLike | None = None) -> Release:
        """Privatizes what `encode` returned; each call is a release of its own.

        Args:
            latents: ``(n, d)``.
            labels: As they were given to `encode`.
        """
        z = check_latents(latents, self.flow.d)
        given = check_labels(labels, len(z), len(self.flow.classes))
        released = np.full_like(given, UNKNOWN)
        if self.plan.response is not None:
            released = self.plan.response.respond(given, self.noise)
            if self.recipe.unlabelled == Unlabelled.UNKNOWN:
                released = np.where(given == UNKNOWN, UNKNOWN, released)
        elif self.plan.label is LabelRelease.PUBLIC:
            released = given
        images, valid = draw_images(
            self.flow,
            self.plan,
            self.plan.protect(z, self.noise),
            released,
            self.noise,
            candidates=self.candidates,
        )
        return Release(
            images=images,
            labels=released,
            guarantee=self._of_image(self.plan.guarantee),
            approximate=self._of_image(self.plan.approximate()),
            valid=valid,
        )

    def enlarge(self, images: Images) -> Images:
        """Private images ``(n, h, w)`` at `size`, with detail drawn where the weights can.

        It follows the private images alone, so that whatever protects them protects it
        (post-processing).
        """
        detail = self.recipe.profile.detail
        return self.flow.cascade.enlarge(images, self.size, self.noise, detail=detail)

    def _encode(
        self, images: ArrayLike, labels: ArrayLike | None
    ) -> tuple[Latents, NDArray[np.float64]]:
        checked = check_images(images, self.flow.shape)
        given = check_labels(labels, len(checked), len(self.flow.classes))
        public = self.plan.label is LabelRelease.PUBLIC
        return self.flow.encode_and_rate(
            checked, given if public else np.full_like(given, UNKNOWN)
        )
