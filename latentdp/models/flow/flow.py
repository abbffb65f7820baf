"""A flow for inference: numpy in, numpy out, every argument checked once.

``encode`` and ``decode`` are exact inverses up to float32 rounding. Latents are whitened and
ordered coarse to fine.
"""

from __future__ import annotations

import math
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentdp.core.arrays import (
    Images,
    Labels,
    Latents,
    check_images,
    check_labels,
    check_latents,
)
from latentdp.core.attributes import Attribute, check_values, label_count, values_of
from latentdp.errors import InputError, WeightsError
from latentdp.metrics.usual_range import UsualRange
from latentdp.models.checkpoints import Checkpoint, load, shipped
from latentdp.models.flow.add_ons import AddOns
from latentdp.models.flow.caveats import caveats_of
from latentdp.models.flow.checkpoint import add_ons_of, glow_of
from latentdp.models.flow.critic import Critic
from latentdp.models.flow.engine import Engine
from latentdp.models.flow.glow import Glow, uninitialised
from latentdp.models.flow.layout import layout_gradients
from latentdp.models.flow.likelihood import bits_per_dimension, mean_square, outside
from latentdp.models.flow.orthonormal import orthonormal, orthonormal_in_first
from latentdp.models.flow.population import Population
from latentdp.models.flow.provenance import FlowProvenance
from latentdp.models.model_card.card import ModelCard
from latentdp.models.super_resolution.cascade import SuperResolutionCascade

__all__ = ["Flow", "load_flow"]


class Flow:
    """An invertible map between ``(n, h, w)`` images in [0, 1] and ``(n, d)`` latents.

    Args:
        net: The network, with every ActNorm initialised.
        card: The model card of its weights.
        name: Name of the weights.
        sha256: Digest of the weights file.
        add_ons: What the weights carry beside the network; None for nothing.
        exact: Coupling networks in float32 even where bfloat16 is faster.

    Attributes:
        card: The model card of its weights.
        name: Name of the weights; empty if they have none.
        sha256: Digest of the weights file in hexadecimal; empty if there is none.
        exact: Whether coupling networks compute in float32.
        micro_batch: Images that go through the network together; more would only take memory.

    Raises:
        WeightsError: A layer has not been initialised by its first batch, or the directions are
            not nearly orthonormal.
    """

    def __init__(
        self,
        net: Glow,
        card: ModelCard,
        name: str = "",
        sha256: str = "",
        add_ons: AddOns | None = None,
        *,
        exact: bool = True,
    ) -> None:
        waiting = uninitialised(net)
        if waiting:
            raise WeightsError(
                f"{len(waiting)} normalisation layers are not initialised; "
                "they would take their statistics from the first image they see"
            )
        self._engine = Engine(net, exact=exact)
        self._net, self.micro_batch = self._engine.net, self._engine.micro_batch
        self.card, self.name, self.sha256, self.exact = card, name, sha256, exact
        self._add_ons = add_ons or AddOns()
        self._directions = orthonormal(self._add_ons.directions, self.d)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of its images in pixels."""
        return (self._net.config.size, self._net.config.size)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes it is conditioned on; a label is an index into them."""
        classes: tuple[str, ...] = self._net.config.classes
        return classes

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """What it is conditioned on instead of classes; `latentdp.core.attributes` has labels."""
        attributes: tuple[Attribute, ...] = self._net.config.attributes
        return attributes

    @property
    def conditioning(self) -> tuple[Attribute, ...]:
        """What a label says: its attributes, or its classes as one attribute without a name."""
        return self.attributes or (Attribute("", self.classes),)

    @cached_property
    def levels(self) -> tuple[slice, ...]:
        """Where each level lies in the latent vector, coarsest first."""
        ends = np.cumsum([0] + [math.prod(s) for s in self._net.config.level_shapes])
        return tuple(slice(int(a), int(b)) for a, b in pairwise(ends))

    @property
    def d(self) -> int:
        """Number of latent dimensions; equal to the number of pixels."""
        return self.shape[0] * self.shape[1]

    @property
    def directions(self) -> NDArray[np.float64]:
        """Public directions ``(k, d)``, orthonormal rows, best first; k is 0 if there are none.

        `latentdp.models.directions.finding` says what they are. Not to be written to.
        """
        return self._directions

    @cached_property
    def identity(self) -> NDArray[np.float64]:
        """Public directions ``(m, d)`` of identity, orthonormal rows; m is 0 if there are none.

        `latentdp.models.directions.identity` says what they are. Not to be written to. There are
        many, so that they are made orthonormal when they are first asked for.

        Raises:
            WeightsError: They are not nearly orthonormal.
        """
        return orthonormal_in_first(self._add_ons.identity, self.d)

    @cached_property
    def layout(self) -> NDArray[np.float64]:
        """Public rows ``(m, d)``: how the parts of the average image move with the latent.

        `latentdp.models.flow.layout` says what they are. Made when they are first asked for. Not
        to be written to.
        """
        return layout_gradients(self)

    @property
    def critic(self) -> Critic | None:
        """What chooses among samples; None if the weights have none."""
        return self._add_ons.critic

    @property
    def population(self) -> Population | None:
        """What a label leaves open, as it occurs; None if the weights do not have it."""
        return self._add_ons.population

    @property
    def cascade(self) -> SuperResolutionCascade:
        """The detail of larger images; empty if the weights have none."""
        return self._add_ons.cascade

    @cached_property
    def provenance(self) -> FlowProvenance:
        """What it learnt from, as its card says it."""
        return FlowProvenance.of(self.card)

    @cached_property
    def caveats(self) -> tuple[str, ...]:
        """What speaks against its weights, in sentences; empty where nothing does."""
        return caveats_of(
            self.card,
            directions=len(self.directions) > 0,
            critic=self.critic is not None,
            vouched=self.sha256 in {entry.sha256 for entry in shipped().values()},
        )

    @property
    def likelihood_range(self) -> UsualRange | None:
        """Between which ``bits`` and which `coarse` nearly all images like its training's lie.

        From the card, where `latentdp.models.model_card.flow` put them; None if it has none.
        """
        return self.card.likelihood

    def coarse(self, latents: Latents) -> NDArray[np.float64]:
        """Mean square ``(n,)`` of the coarsest latents, about 1 for an image like those it saw."""
        return mean_square(latents, self.levels[0])

    def out_of_distribution(
        self,
        latents: Latents,
        bits: NDArray[np.float64],
        usual: UsualRange | None = None,
    ) -> NDArray[np.bool_]:
        """Which images ``(n,)`` are unlike those it was trained on; none if that is not known.

        Args:
            latents: ``(n, d)``, as `encode_and_rate` returned them.
            bits: Bits per dimension ``(n,)``, as `encode_and_rate` returned them.
            usual: Lowest and highest usual ``bits`` and ``coarse``; by default those of the card.
        """
        usual = usual or self.likelihood_range
        if usual is None:
            return np.zeros(len(bits), dtype=np.bool_)
        return outside(bits, usual.bits) | outside(self.coarse(latents), usual.coarse)

    def encode(self, images: ArrayLike, labels: ArrayLike | None = None) -> Latents:
        """Images ``(n, h, w)`` in [0, 1] to whitened latents ``(n, d)``.

        Args:
            images: Floats; any other shape, range or NaN is refused.
            labels: ``(n,)``, -1 or None for unknown; of attributes `latentdp.core.attributes`
                says which number means what, and their values ``(n, attributes)`` do as well.
        """
        return self.encode_and_rate(images, labels)[0]

    def encode_and_rate(
        self, images: ArrayLike, labels: ArrayLike | None = None
    ) -> tuple[Latents, NDArray[np.float64]]:
        """Like `encode`, and the bits per dimension ``(n,)`` of each image, in the same pass.

        The negative log2-density per pixel where the image lies, in the middle of its bin, and
        not the mean over bins that `bits_per_dimension` estimates. It follows the image without
        any noise: it is for whoever may see the image.
        """
        checked = check_images(images, self.shape)
        known = self._known(labels, len(checked))
        latents, nats = self._engine.encode(checked, known)
        return latents, bits_per_dimension(nats, self.d)

    def decode(self, latents: ArrayLike, labels: ArrayLike | None = None) -> Images:
        """Latents ``(n, d)`` to images ``(n, h, w)``, clipped to [0, 1].

        Raises:
            InputError: Wrong shape, or an image would not be finite.
        """
        images, valid = self.decode_valid(latents, labels)
        if not valid.all():
            raise InputError(f"{int((~valid).sum())} of {len(valid)} latents decode to no image")
        return images

    def decode_valid(
        self, latents: ArrayLike, labels: ArrayLike | None = None
    ) -> tuple[Images, NDArray[np.bool_]]:
        """Like `decode`, and which images are finite; the others are all zero."""
        z = check_latents(latents, self.d)
        known = self._known(labels, len(z))
        out = self._engine.decode(z, known)
        valid = np.asarray(np.isfinite(out).all(axis=(1, 2)))
        out[~valid] = 0
        return np.clip(out, 0, 1), valid

    def pull_back(self, latents: ArrayLike, gradients: NDArray[np.float64]) -> Latents:
        """Gradients ``(n, d)`` by latents of a cost whose gradients by decoded images are known.

        For latents that are to decode to what a public cost wants; without labels.

        Args:
            latents: ``(n, d)``.
            gradients: ``(n, h, w)`` by the images as `decode` gives them, but not clipped.

        Raises:
            InputError: Another shape, or a latent that decodes to no image.
        """
        z = check_latents(latents, self.d)
        if gradients.shape != (len(z), *self.shape):
            raise InputError(f"expected a gradient of each image, {(len(z), *self.shape)}")
        pulled = self._engine.pull_back(z, self._known(None, len(z)), gradients)
        if not np.isfinite(pulled).all():
            raise InputError("a latent decodes to no image, and has no gradient")
        return pulled

    def bits_per_dimension(
        self, pixels: NDArray[np.uint8], labels: ArrayLike | None = None
    ) -> float:
        """Mean negative log2-likelihood per pixel of 8-bit images ``(n, h, w)``.

        Under uniform dequantisation with a fixed seed, as is usual for flows.
        """
        known = self._known(labels, len(pixels))
        nats = self._engine.mean_log_density(pixels, known)
        return float(bits_per_dimension(np.float64(nats), self.d))

    def _known(self, labels: ArrayLike | None, n: int) -> Labels:
        if self.attributes and labels is not None and np.ndim(labels) == 2:
            return check_values(labels, n, self.attributes)
        known = check_labels(labels, n, label_count(self.conditioning))
        return values_of(self.attributes, known) if self.attributes else known


def load_flow(weights: str | Path | Checkpoint, *, exact: bool = True) -> Flow:
    """The flow of shipped weights, of a file, or of a checkpoint that is in memory.

        >>> import numpy as np, latentdp
        >>> flow = latentdp.load_flow("cxr-adult")
        >>> image = np.full((1, *flow.shape), 0.5)
        >>> latent = flow.encode(image)
        >>> latent.shape == (1, flow.d)
        True
        >>> bool(np.abs(flow.decode(latent) - image).max() < 1e-3)
        True

    Args:
        weights: Name, path, or a weights file of kind ``glow`` that is in memory.
        exact: Coupling networks in float32 even where bfloat16 is faster.

    Raises:
        WeightsError: No such weights, damaged ones, another kind, or tensors that do not fit the
            configuration.
    """
    checkpoint = weights if isinstance(weights, Checkpoint) else load(str(weights))
    net = glow_of(checkpoint)
    add_ons = add_ons_of(checkpoint, net.config, exact=exact)
    return Flow(net, checkpoint.card, checkpoint.name, checkpoint.sha256, add_ons, exact=exact)
