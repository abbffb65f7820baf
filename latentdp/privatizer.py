"""Flow + plan + noise: images in, private images and their guarantee out."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentdp.core import plugins
from latentdp.core.arrays import (
    UNKNOWN,
    Images,
    Labels,
    Latents,
    check_images,
    check_labels,
    check_latents,
)
from latentdp.errors import InputError, WeightsError
from latentdp.privacy.basis import Basis
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import Noise, SystemNoise
from latentdp.privacy.plan import Action, Block, Plan
from latentdp.privacy.randomized_response import LabelRelease, RandomisedResponse
from latentdp.privacy.samplers.uniform import gumbel
from latentdp.recipe import ALL, Recipe

if TYPE_CHECKING:
    from latentdp.models.flow.critic import Critic
    from latentdp.models.flow.flow import Flow

__all__ = ["Privatizer", "Rating", "Release", "make_plan"]


@dataclass(frozen=True, kw_only=True)
class Release:
    """What may be released of a batch of images.

    Attributes:
        images: ``(n, h, w)`` float32 in [0, 1].
        labels: Released class indices ``(n,)``; all -1 if none are released.
        guarantee: Of each image and its label; epsilon is infinity if anything is unprotected.
        approximate: The same noise read as (epsilon, delta).
        valid: ``(n,)`` False where decoding gave no finite image; such a row is all zero.
    """

    images: Images
    labels: Labels
    guarantee: Guarantee
    approximate: Guarantee
    valid: NDArray[np.bool_]

    @property
    def unprotected(self) -> tuple[str, ...]:
        """What is released exactly."""
        return self.guarantee.unprotected


@dataclass(frozen=True, kw_only=True)
class Rating:
    """How a batch of inputs looks to the flow. **Private**: it follows them without any noise.

    Attributes:
        bits: Bits per dimension ``(n,)``.
        odd: ``(n,)`` True for inputs unlike those the flow was trained on.
    """

    bits: NDArray[np.float64]
    odd: NDArray[np.bool_]


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
        noised = replace(of_image, secure=self.noise.secure)
        return noised.beside(*self.recipe.profile.unprotected)

    def __call__(self, images: ArrayLike, /, *, labels: ArrayLike | None = None) -> Release:
        """Privatizes images ``(n, h, w)`` in [0, 1], each on its own.

        Args:
            images: As for `release_and_rate`, likewise ``labels``.
            labels: Class indices.
        """
        return self.release_and_rate(images, labels=labels)[0]

    def release_and_rate(
        self, images: ArrayLike, /, *, labels: ArrayLike | None = None
    ) -> tuple[Release, Rating]:
        """What a call returns and, for the eyes of whoever may see the images, their rating.

        Under a plan that releases labels by response, an unknown label is answered by a random
        class, which costs the same.

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
        elif self.plan.label is LabelRelease.PUBLIC:
            released = given
        images, valid = self._images(self.plan.protect(z, self.noise), released)
        return Release(
            images=images,
            labels=released,
            guarantee=replace(self.plan.guarantee, secure=self.noise.secure),
            approximate=replace(self.plan.approximate(), secure=self.noise.secure),
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

    def _images(self, protected: Latents, labels: Labels) -> tuple[Images, NDArray[np.bool_]]:
        """One of the candidates for each row, by chance in proportion to the critic's ratio."""
        images, valid = self._candidate(protected, labels)
        critic = self.flow.critic
        if self.candidates == 1 or critic is None:
            return images, valid
        best = self._scores(critic, images, valid, labels)
        for _ in range(self.candidates - 1):
            others, fine = self._candidate(protected, labels)
            scores = self._scores(critic, others, fine, labels)
            better = scores > best
            images[better], valid[better] = others[better], fine[better]
            best = np.maximum(best, scores)
        return images, valid

    def _candidate(self, protected: Latents, labels: Labels) -> tuple[Images, NDArray[np.bool_]]:
        return self.flow.decode_valid(self.plan.complete(protected, self.noise), labels)

    def _scores(
        self, critic: Critic, images: Images, valid: NDArray[np.bool_], labels: Labels
    ) -> NDArray[np.float64]:
        """Log ratios with Gumbel noise, whose largest is a draw in proportion to the ratios."""
        scores = critic.log_ratio(images, labels) + gumbel(self.noise, len(images))
        return np.where(valid, scores, -np.inf)


def _identity(
    recipe: Recipe, kept: NDArray[np.float64], identity: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Orthonormal rows ``(m, d)`` of identity less what of them lies in the kept ones."""
    if identity is None or not len(identity):
        raise InputError(
            "these weights carry no directions of identity; `latentdp weights add-directions` "
            "computes them"
        )
    count = recipe.resample_identity
    rows = identity[:count] - (identity[:count] @ kept.T) @ kept
    basis: NDArray[np.float64] = np.linalg.qr(rows.T)[0].T
    return basis - (basis @ kept.T) @ kept


def make_plan(
    recipe: Recipe,
    *,
    d: int,
    directions: NDArray[np.float64],
    classes: int,
    identity: NDArray[np.float64] | None = None,
) -> Plan:
    """The plan of a recipe.

    Args:
        recipe: What to spend on what.
        d: Size of the latent.
        directions: ``(k, d)`` orthonormal rows, those that say most about the label first; a
            public constant of the weights.
        classes: Number of classes that the weights know.
        identity: ``(m, d)`` orthonormal rows, those that say most about the patient first;
            None for none.

    Raises:
        InputError: The weights cannot do what the recipe asks, or the budget is too small.
    """
    label = LabelRelease(recipe.label)
    if label is not LabelRelease.NONE and classes < 2:
        raise InputError("these weights know no classes, so no label can be released")
    kept, whole = recipe.keep_label_dims, recipe.directions == ALL
    spent = max(d - kept, 0) if whole else recipe.directions
    if (kept if whole else kept + spent) > len(directions):
        raise InputError(
            f"these weights carry {len(directions)} public directions, too few for {kept} "
            f"kept and {0 if whole else spent} protected ones; `latentdp weights add-directions` "
            "computes them"
        )
    response = None
    budget = recipe.epsilon
    if label is LabelRelease.RESPONSE:
        share = 1.0 if spent == 0 else recipe.label_share
        response = RandomisedResponse.calibrate(recipe.epsilon * share, classes)
        budget = (budget - response.guarantee.epsilon) * (1 - 1e-12)  # the sum is rounded up
    if recipe.resample_identity:
        personal = _identity(recipe, directions[:kept], identity)
        directions = np.concatenate([directions[:kept], personal])
        rest = d - len(directions)
        parts = [(Action.KEEP, kept), (Action.RESAMPLE, len(personal)), (Action.KEEP, rest)]
    else:
        rest = d - kept - spent
        parts = [(Action.KEEP, kept), (Action.MECHANISM, spent), (Action.RESAMPLE, rest)]
    blocks = []
    for action, size in parts:
        if size == 0:
            continue
        mechanism = None
        if action is Action.MECHANISM:
            kind = plugins.load("mechanisms", recipe.mechanism).mechanism
            mechanism = kind.calibrate(budget, size, recipe.clip)
        blocks.append(Block(action=action, size=size, mechanism=mechanism))
    return Plan(
        d=d,
        blocks=tuple(blocks),
        label=label,
        response=response,
        temperature=recipe.temperature,
        # One block is the same in any basis; per-element noise then is on latent elements.
        basis=Basis(directions) if len(blocks) > 1 else None,
    )
