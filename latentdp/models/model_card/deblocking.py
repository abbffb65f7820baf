"""Which shares take the grid away that enlarging leaves, and gains that make up for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.metrics import periodicity
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.flow.flow import load_flow
from latentdp.models.model_card.card_parts import DeblockingCard
from latentdp.models.model_card.equalizer import PowerReference, equalized
from latentdp.models.super_resolution.deblocking import LARGEST_SHARE, DeblockingFilter
from latentdp.privacy.noise import SeededNoise

__all__ = ["PERIOD", "deblocked", "filtered", "fit_deblocking", "unevenness"]

Vector = NDArray[np.float64]

PERIOD = 8  # pixels; a grid of 2 or 4 is one of 8
SMALLEST = 3 * PERIOD  # pixels a side; one period at each edge does not count
TURNS = 2  # of equalizers and deblocking filters, each of which changes what the other sees
ROUNDS = 12
PACE = 0.3  # a step that is moved from both ends shrinks by twice the share


def filtered(checkpoint: Checkpoint, references: Mapping[int, PowerReference]) -> Checkpoint:
    """Weights with equalizers and deblocking filters, fitted in turn.

    Args:
        checkpoint: A flow's weights with detail; filters that they have do not matter.
        references: By each size to which they have detail.

    Raises:
        InputError: As `equalized`.
    """
    bare = structs.replace(checkpoint.card, deblocking=None)
    fitted = replace(checkpoint, card=bare, sha256="")
    for _ in range(TURNS):
        fitted = deblocked(equalized(fitted, references), references)
    return fitted


def deblocked(checkpoint: Checkpoint, references: Mapping[int, PowerReference]) -> Checkpoint:
    """Weights with a deblocking filter for every doubling of their images up to the last detail.

    Equalizers come first, since the filters are fitted to what leaves these.

    Args:
        checkpoint: A flow's weights with detail; filters that they have do not matter.
        references: By each size to which they have detail.
    """
    card = structs.replace(checkpoint.card, deblocking=None)
    flow = load_flow(replace(checkpoint, card=card, sha256=""))
    side, cards, size = flow.shape[0], {}, flow.shape[0]
    while 2 * size <= max(flow.cascade.by_size, default=0):
        size *= 2
        if size < SMALLEST:
            continue
        enough = min(larger for larger in flow.cascade.by_size if larger >= size)
        small = references[enough].small(side)
        drawn = flow.cascade.enlarge(small, size, SeededNoise(0))
        fitted = fit_deblocking(drawn)
        cards[str(size)] = DeblockingCard(across=fitted.across, down=fitted.down)
    card = structs.replace(card, deblocking=cards or None)
    return replace(checkpoint, card=card, sha256="")


def fit_deblocking(images: Images) -> DeblockingFilter:
    """Shares after which steps are as large at every position of the grid.

    Args:
        images: ``(n, s, s)`` in [0, 1], as they would be released without a filter.
    """
    across, down = np.zeros(PERIOD), np.zeros(PERIOD)
    fitted = _rounded(across, down)
    for _ in range(ROUNDS):
        made = fitted.apply(images)
        across += PACE * unevenness(made)
        down += PACE * unevenness(made.swapaxes(1, 2))
        fitted = _rounded(across, down)
    return fitted


def unevenness(images: Images) -> Vector:
    """By how much steps from column k to the next are larger than usual, by k modulo `PERIOD`.

    A sixteenth of the picture at each edge, where frames and borders lie, does not count.

    Args:
        images: ``(n, h, w)`` in [0, 1], at least `SMALLEST` wide.

    Returns:
        ``(PERIOD,)`` logarithms.
    """
    width = images.shape[2]
    edge = max(width // 16 // PERIOD, 1) * PERIOD  # the grid begins within as it does at the edge
    steps = np.abs(np.diff(images[:, :, edge : width - edge + 1], axis=2)).mean(axis=(0, 1))
    return periodicity.unevenness(steps.astype(np.float64), PERIOD)


def _rounded(across: Vector, down: Vector) -> DeblockingFilter:
    """In place: shares that are too large become the largest."""
    for shares in (across, down):
        np.clip(shares, -LARGEST_SHARE, LARGEST_SHARE, out=shares)
    return DeblockingFilter(
        across=tuple(round(float(x), 4) for x in across),
        down=tuple(round(float(x), 4) for x in down),
    )
