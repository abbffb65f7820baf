"""Flow + plan + noise: images in, private images and their guarantee out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentdp.core.arrays import (
    UNKNOWN,
    Images,
    Labels,
    Latents,
    check_images,
    check_labels,
    check_latents,
)
from latentdp.core.attributes import knowing, label_count
from latentdp.data.dicom.profile import BASIC
from latentdp.data.label_names import GivenLabels, label_indices
from latentdp.data.label_space import LabelSpace
from latentdp.errors import InputError, WeightsError
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import Noise, SystemNoise
from latentdp.privacy.plan import Plan
from latentdp.privacy.randomized_response import LabelRelease, Unlabelled
from latentdp.privatizer.candidates import draw_images
from latentdp.privatizer.planning import make_plan
from latentdp.privatizer.release import Rating, Release
from latentdp.privatizer.released_attributes import with_released
from latentdp.recipe import Recipe
from latentdp.reports.warning_words import from_outside

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
        epsilon 8 per image (replace-one)

    Nothing of it changes: `with_noise` and `with_plan` give another one with the same networks.

    Args:
        flow: Between images and latents.
        recipe: What to spend on what.
        noise: Where random bits come from. Only tests give one; the default is the operating
            system's.
        plan: What becomes of each part of a latent; by default it is made from the recipe.

    Attributes:
        flow: As given.
        recipe: As given, bound to the flow's weights; where these know attributes, it names those
            that are released.
        noise: Where random bits come from.
        plan: What becomes of each part of a latent.

    Raises:
        InputError: The weights cannot do what the recipe asks, or the budget is too small.
    """

    flow: Flow
    recipe: Recipe
    noise: Noise
    plan: Plan

    def __init__(
        self,
        flow: Flow,
        recipe: Recipe,
        noise: Noise | None = None,
        *,
        plan: Plan | None = None,
    ) -> None:
        recipe = with_released(
            recipe.with_weights(flow.sha256),
            flow.conditioning,
            flow.card.present_in_training or {},
        )
        if plan is None:
            plan = make_plan(
                recipe,
                d=flow.d,
                directions=flow.directions,
                attributes=flow.conditioning,
                identity=flow.identity if recipe.resample_identity else None,
                layout=flow.layout if recipe.keep_layout else None,
            )
        object.__setattr__(self, "flow", flow)
        object.__setattr__(self, "recipe", recipe)
        object.__setattr__(self, "noise", SystemNoise() if noise is None else noise)
        object.__setattr__(self, "plan", plan)
        least = max(flow.shape[0], recipe.profile.min_size)
        if self.size < least:
            raise InputError(
                f"expected a size of at least {least} pixels, for these weights and this "
                f"transfer syntax, got {self.size}"
            )

    @classmethod
    def load(
        cls,
        weights: str = "cxr-adult",
        *,
        preset: str = "balanced",
        size: int | None = None,
        detail: bool = True,
        **changes: Any,
    ) -> Self:
        """Loads shipped weights by name, or a file by path, under a preset.

        Args:
            weights: Name or path.
            preset: Name of a preset.
            size: Pixels on a side of the private images; None for what the weights make.
            detail: Where they are larger than that, draw the detail that the weights know; else
                enlarge smoothly.
            changes: Fields of `Recipe` that differ from the preset, such as ``epsilon=2.0``.

        Raises:
            InputError: Options that contradict each other, or what the weights cannot do.
            WeightsError: The weights are refused.

        Warns:
            WeightsWarning: Something speaks against the weights.
        """
        from latentdp.models.flow.caveats import warn
        from latentdp.models.flow.flow import load_flow

        recipe = Recipe.from_preset(preset, weights=weights, **changes)
        flow = load_flow(weights, exact=False)
        if size is not None:
            drawn = detail and bool(flow.cascade.steps(flow.shape[0], size))
            profile = replace(changes.get("profile", BASIC), size=size, detail=drawn)
            recipe = replace(recipe, profile=profile)
        privatizer = cls(flow, recipe)
        warn(flow.caveats)
        return privatizer

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

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of its releases must not overlook, besides what the guarantee says.

        Of a mechanism that another package brought, and of weights against which something
        speaks (`latentdp.models.flow.flow.Flow.caveats`).
        """
        return (*from_outside(self.plan.describe()), *self.flow.caveats)

    def with_noise(self, noise: Noise) -> Self:
        """The same privatizer with other random bits; its plan is not made again."""
        return type(self)(self.flow, self.recipe, noise, plan=self.plan)

    def with_plan(self, plan: Plan) -> Self:
        """The same flow, recipe and noise under another plan, for controls and for tests.

        Args:
            plan: Of as many dimensions. It outranks the recipe, which then says nothing of it.
        """
        return type(self)(self.flow, self.recipe, self.noise, plan=plan)

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
    def detail_size(self) -> int:
        """Side in pixels up to which outputs have drawn detail; 0 if they have none."""
        return min(self.size, max(self.octaves, default=0))

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

    def __call__(self, images: ArrayLike, /, *, labels: GivenLabels = None) -> Release:
        """Privatizes images ``(n, h, w)`` in [0, 1], each on its own; they come back at `size`.

        Args:
            images: Floats of the flow's shape.
            labels: Numbers or words ``(n,)``, -1 or None for unknown; several findings of an
                image are separated by ``;``.
        """
        release = self.from_latents(self._latents(images, labels), labels)
        if self.size == self.flow.shape[0] or not len(release.images):
            return release
        return replace(release, images=self.enlarge(release.images))

    def release_and_rate(
        self, images: ArrayLike, /, *, labels: GivenLabels = None, rated: Rating | None = None
    ) -> tuple[Release, Rating]:
        """What a call returns and, for the eyes of whoever may see the images, their rating.

        Under a plan that releases labels by response, an unknown label is answered by a random
        class, which costs the same, or released as unknown, if the recipe says so.

        Args:
            images: Floats of the flow's shape.
            labels: Numbers or words ``(n,)``, -1 or None for unknown. They are used only as the
                recipe says: not at all, through randomised response, or as public.
            rated: What `rate` gave for these images and labels, which are then not encoded again.
        """
        rating = self.rate(images, labels=labels) if rated is None else rated
        return self.from_latents(rating.latents, labels), rating

    def rate(self, images: ArrayLike, *, labels: GivenLabels = None) -> Rating:
        """The rating alone, which draws nothing: **private**.

        Args:
            images: Floats of the flow's shape.
            labels: As for a release.
        """
        latents, bits = self._encode(images, labels)
        odd = self.flow.out_of_distribution(latents, bits)
        return Rating(latents=latents, bits=bits, odd=odd)

    def encode(self, images: ArrayLike, labels: GivenLabels = None) -> Latents:
        """Latents ``(n, d)`` as a release of these images encodes them: **private**.

        Only what is released exactly of a label may shape the latent. Under randomised response
        the encoder is told "unknown" of every attribute, so that the latent is a function of the
        image alone: what the image says of its label stays in it, where the plan's blocks decide
        about it. Answers and protected latent then come of two mechanisms that are run on one
        record, whose epsilons add up; the decoder follows what both have put out, and what the
        weights' population draws of all that the answers leave open (post-processing).
        """
        return self._encode(images, labels)[0]

    def from_latents(self, latents: ArrayLike, labels: GivenLabels = None) -> Release:
        """Privatizes what `encode` returned; each call is a release of its own.

        Args:
            latents: ``(n, d)``.
            labels: As they were given to `encode`.
        """
        z = check_latents(latents, self.flow.d)
        given = self._indices(labels, len(z))
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
            privatizer=self,
        )

    def enlarge(self, images: Images) -> Images:
        """Private images ``(n, h, w)`` at `size`, with detail drawn where the weights can.

        It follows the private images alone, so that whatever protects them protects it
        (post-processing).
        """
        out = np.empty((len(images), self.size, self.size), dtype=np.float32)
        for i, image in enumerate(self.enlarge_each(images)):
            out[i] = image
        return out

    def enlarge_each(self, images: Images) -> Iterator[NDArray[np.float32]]:
        """The same, one ``(s, s)`` image after the other: all together may take much memory."""
        detail = self.recipe.profile.detail
        return self.flow.cascade.enlarge_each(images, self.size, self.noise, detail=detail)

    def _latents(self, images: ArrayLike, labels: GivenLabels) -> Latents:
        """What `encode` gives, if anything of it is spent; else zeros, which are as good."""
        if self.plan.reads:
            return self.encode(images, labels)
        return np.zeros((len(check_images(images, self.flow.shape)), self.flow.d))

    def _encode(
        self, images: ArrayLike, labels: GivenLabels
    ) -> tuple[Latents, NDArray[np.float64]]:
        checked = check_images(images, self.flow.shape)
        given = self._indices(labels, len(checked))
        public = self.plan.label is LabelRelease.PUBLIC
        return self.flow.encode_and_rate(
            checked, given if public else np.full_like(given, UNKNOWN)
        )

    def _indices(self, labels: GivenLabels, n: int) -> Labels:
        """Labels ``(n,)``; of attributes that are not released they know nothing."""
        known = self.flow.conditioning
        given = check_labels(label_indices(labels, self.label_space), n, label_count(known))
        return self.used(given)

    def used(self, labels: Labels) -> Labels:
        """What a release takes of labels ``(n,)``: of attributes, those that are released."""
        known = self.flow.conditioning
        return knowing(known, labels, self.recipe.release_findings) if known[0].name else labels

    @property
    def label_space(self) -> LabelSpace:
        """What a label may be, and what it is called."""
        return LabelSpace(self.flow.conditioning)

    @property
    def summary(self) -> str:
        """It in a line."""
        return (
            f"Privatizer {self.recipe.preset} on {self.flow.name or 'weights in memory'}, "
            f"{self.size} x {self.size} pixels: {self.guarantee}"
        )

    def __repr__(self) -> str:
        return f"<{self.summary}>"

    def _repr_html_(self) -> str:
        from latentdp.privatizer.notebook import privatizer_html

        return privatizer_html(self)
