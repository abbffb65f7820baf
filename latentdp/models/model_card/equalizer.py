"""Which gains give the detail that weights draw the power of originals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from latentdp.core.arrays import Images, evenly
from latentdp.data.preprocess import shrink, unit
from latentdp.errors import InputError
from latentdp.metrics.spectrum import power
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.flow.flow import load_flow
from latentdp.models.super_resolution.cascade import SuperResolutionCascade
from latentdp.models.super_resolution.equalizer import LOUDEST, Equalizer
from latentdp.privacy.noise import SeededNoise

__all__ = ["FEWEST", "LOOKED_AT", "PowerReference", "equalized", "fit_equalizer"]

Pixels = NDArray[np.uint8]
Vector = NDArray[np.float64]

BANDS = 64  # between no detail and the finest
ROUNDS = 3  # grey levels end at black and white, so that the first gains are a little off
LOOKED_AT = 320  # images, at most
FEWEST = 20


@dataclass(frozen=True, eq=False)
class PowerReference:
    """Public images whose power what is drawn shall have.

    Attributes:
        pixels: ``(n, s, s)``, 8 bits, that were not enlarged.
        private: ``(m, side, side)`` in [0, 1], what the weights make of such images: it is these
            that will be enlarged. None for weights that learnt from others (detail of adults for
            a flow of children): then the originals are reduced and enlarged again.
    """

    pixels: Pixels
    private: Images | None = None

    def small(self, side: int) -> Images:
        """Some of what will be enlarged, ``(k, side, side)`` in [0, 1]."""
        if self.private is None:
            return shrink(unit(self.pixels[evenly(len(self.pixels), LOOKED_AT)]), side)
        return self.private[evenly(len(self.private), LOOKED_AT)]


def equalized(checkpoint: Checkpoint, originals: Mapping[int, PowerReference]) -> Checkpoint:
    """Weights with an equalizer for every size to which they have detail.

    Args:
        checkpoint: A flow's weights; equalizers that they have do not matter, and their deblocking
            filters stay: what comes out of these shall have the power of originals.
        originals: By each of these sizes, of it or of a larger one, from which they are reduced.

    Raises:
        InputError: Fewer than `FEWEST` originals, or smaller ones, or weights without detail.
    """
    flow = load_flow(checkpoint)
    if not flow.cascade.by_size:
        raise InputError("expected weights that draw detail, to be equalized")
    for size in flow.cascade.by_size:
        count, have = originals[size].pixels.shape[:2]
        if count < FEWEST or have < size:
            raise InputError(
                f"expected at least {FEWEST} originals of {size} pixels, got {count} of {have}"
            )
    cards = dict(checkpoint.card.octaves or {})
    side = flow.shape[0]
    for size in sorted(flow.cascade.by_size):
        pixels = originals[size].pixels
        wanted = shrink(unit(pixels[evenly(len(pixels), LOOKED_AT)]), size)
        equalizer = fit_equalizer(flow.cascade, originals[size].small(side), wanted)
        cards[str(size)] = structs.replace(cards[str(size)], gains=equalizer.gains)
    card = structs.replace(checkpoint.card, octaves=cards)
    return replace(checkpoint, card=card, sha256="")


def fit_equalizer(cascade: SuperResolutionCascade, small: Images, originals: Images) -> Equalizer:
    """Gains by which small images that are enlarged have the mean power of originals.

    Compared is the mean power in decibels, so that the images need not show the same. Nothing
    below half the highest frequency of the small images is changed: a network that reads images
    of their size would know the filter.

    Args:
        cascade: What enlarges; equalizers that it has do not matter, and its deblocking filter of
            that size comes last.
        small: ``(m, side, side)`` in [0, 1], such as the flow makes.
        originals: ``(n, size, size)`` in [0, 1], of a size to which the cascade leads.
    """
    side, size = small.shape[1], originals.shape[1]
    drawn = cascade.without_filters().enlarge(small, size, SeededNoise(0))
    wanted, total = _decibels(originals), np.zeros(BANDS + 1)
    coarse = np.linspace(0, 1, BANDS + 1) <= side / size / 2
    equalizer, deblocking = Equalizer((1.0,) * (BANDS + 1)), cascade.deblocking.get(size)
    for _ in range(ROUNDS):
        made = equalizer.apply(drawn)
        made = made if deblocking is None else deblocking.apply(made)
        total += np.where(coarse, 0, wanted - _decibels(made))
        gains = np.clip(10 ** (total / 20), 1 / LOUDEST, LOUDEST)
        equalizer = Equalizer(tuple(round(float(gain), 3) for gain in gains))
    return equalizer


def _decibels(images: Images) -> Vector:
    """Of the mean image, in bands around frequencies that lie equally far apart."""
    eight_bits = np.rint(images * 255) / np.float32(255)
    mean = np.mean([10 * np.log10(power(image[None]) + 1e-20) for image in eight_bits], axis=0)
    band = np.rint(np.arange(1, len(mean) + 1) / len(mean) * BANDS).astype(np.int64)
    counts, sums = np.bincount(band), np.bincount(band, mean)
    known = np.flatnonzero(counts)
    return np.interp(np.arange(BANDS + 1), known, sums[known] / counts[known])
