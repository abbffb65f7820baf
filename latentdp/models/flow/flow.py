"""A flow for inference: numpy in, numpy out, every argument checked once.

``encode`` and ``decode`` are exact inverses up to float32 rounding. Latents are whitened and
ordered coarse to fine.
"""

from __future__ import annotations

import math
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from latentdp.core.arrays import (
    Images,
    Labels,
    Latents,
    check_images,
    check_labels,
    check_latents,
)
from latentdp.errors import InputError, WeightsError
from latentdp.models.checkpoints import Checkpoint, load
from latentdp.models.device import computes_bfloat16, device, micro_batch
from latentdp.models.flow.add_ons import AddOns
from latentdp.models.flow.attributes import Attribute, check_values
from latentdp.models.flow.checkpoint import add_ons_of, glow_of
from latentdp.models.flow.critic import Critic
from latentdp.models.flow.fused_glow import FrozenGlow
from latentdp.models.flow.glow import Glow, channels_last, log_density, uninitialised
from latentdp.models.flow.likelihood import bits_per_dimension, mean_square, outside
from latentdp.models.flow.orthonormal import orthonormal, orthonormal_in_first
from latentdp.models.flow.provenance import FlowProvenance
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
        card: dict[str, Any],
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
        self._net = channels_last(net.to(device())).eval().requires_grad_(False)
        low = computes_bfloat16() and not exact
        self._engine: Glow | FrozenGlow = self._net
        if type(net) is Glow:  # what differs from it differs in what could be folded
            self._engine = FrozenGlow(net, torch.bfloat16 if low else torch.float32)
        self.micro_batch = micro_batch(net.config)
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
        """What it is conditioned on instead of classes; a label is a row of indices of values."""
        attributes: tuple[Attribute, ...] = self._net.config.attributes
        return attributes

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

    @property
    def critic(self) -> Critic | None:
        """What chooses among samples; None if the weights have none."""
        return self._add_ons.critic

    @property
    def cascade(self) -> SuperResolutionCascade:
        """The detail of larger images; empty if the weights have none."""
        return self._add_ons.cascade

    @cached_property
    def provenance(self) -> FlowProvenance:
        """What it learnt from, as its card says it.

        Raises:
            WeightsError: The card says something else than it must.
        """
        return FlowProvenance.of(self.card)

    @property
    def likelihood_range(self) -> dict[str, list[float]] | None:
        """Between which ``bits`` and which `coarse` nearly all images like its training's lie.

        From the card, where `latentdp.models.model_card.flow` put them; None if it has none.
        """
        return self.card.get("likelihood")

    def coarse(self, latents: Latents) -> NDArray[np.float64]:
        """Mean square ``(n,)`` of the coarsest latents, about 1 for an image like those it saw."""
        return mean_square(latents, self.levels[0])

    def out_of_distribution(
        self,
        latents: Latents,
        bits: NDArray[np.float64],
        usual: dict[str, list[float]] | None = None,
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
        return outside({"bits": bits, "coarse": self.coarse(latents)}, usual)

    def encode(self, images: ArrayLike, labels: ArrayLike | None = None) -> Latents:
        """Images ``(n, h, w)`` in [0, 1] to whitened latents ``(n, d)``.

        Args:
            images: Floats; any other shape, range or NaN is refused.
            labels: Class indices ``(n,)`` or values ``(n, attributes)``, -1 or None for unknown.
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
        out = np.empty((len(checked), self.d), dtype=np.float64)
        nats = np.empty(len(checked), dtype=np.float64)
        for rows in self._micro_batches(len(checked)):
            # An 8-bit value k / 255 goes to the middle of its dequantisation bin.
            x = torch.from_numpy((checked[rows] * 255 + 0.5) / 256 - 0.5)[:, None]
            with torch.inference_mode():
                z, log_det = self._engine.encode(self._put(x), self._index(known[rows]))
                nats[rows] = log_density(z.double(), log_det.double()).cpu().numpy()
            out[rows] = z.double().cpu().numpy()
        return out, bits_per_dimension(nats, self.d)

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
        out = np.empty((len(z), *self.shape), dtype=np.float32)
        for rows in self._micro_batches(len(z)):
            part = torch.from_numpy(z[rows].astype(np.float32))
            with torch.inference_mode():
                x = self._engine.decode(self._put(part), self._index(known[rows]))
            out[rows] = ((x[:, 0].cpu().numpy() + 0.5) * 256 - 0.5) / 255
        valid = np.asarray(np.isfinite(out).all(axis=(1, 2)))
        out[~valid] = 0
        return np.clip(out, 0, 1), valid

    def bits_per_dimension(
        self, pixels: NDArray[np.uint8], labels: ArrayLike | None = None
    ) -> float:
        """Mean negative log2-likelihood per pixel of 8-bit images ``(n, h, w)``.

        Under uniform dequantisation with a fixed seed, as is usual for flows.
        """
        known = self._known(labels, len(pixels))
        generator = torch.Generator().manual_seed(1)
        total = 0.0
        for rows in self._micro_batches(len(pixels)):
            x = torch.from_numpy(pixels[rows]).float()[:, None]
            x = (x + torch.rand(x.shape, generator=generator)) / 256 - 0.5
            with torch.inference_mode():
                total += float(self._net(self._put(x), self._index(known[rows])).double().sum())
        return float(bits_per_dimension(np.float64(total / len(pixels)), self.d))

    def _micro_batches(self, n: int) -> list[slice]:
        step = self.micro_batch
        return [slice(i, min(i + step, n)) for i in range(0, n, step)]

    def _put(self, x: Tensor) -> Tensor:
        if x.ndim == 4:
            return x.to(device(), memory_format=torch.channels_last)
        return x.to(device())

    def _known(self, labels: ArrayLike | None, n: int) -> Labels:
        if self.attributes:
            return check_values(labels, n, self.attributes)
        return check_labels(labels, n, len(self.classes))

    def _index(self, labels: Labels) -> Tensor:
        return torch.from_numpy(labels).to(device())


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
    add_ons = add_ons_of(checkpoint, len(net.config.classes))
    return Flow(net, checkpoint.card, checkpoint.name, checkpoint.sha256, add_ons, exact=exact)
