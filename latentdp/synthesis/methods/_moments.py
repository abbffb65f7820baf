"""Means of components and variances that they share, from noisy sums over a cohort."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from latentdp.privacy.mechanisms.base import clip_norm
from latentdp.synthesis.mixture import LatentMixture, shrunk
from latentdp.synthesis.public import GROUP, PublicModel
from latentdp.synthesis.statistics import NoisyBlock
from latentdp.synthesis.vectors import RecordBlock

__all__ = ["fitted", "squares", "squares_block"]

Matrix = NDArray[np.float64]
CLEAR = 5.0  # deviations of its noise: a smaller component takes the cohort's mean
NARROWEST, WIDEST = 0.25, 4.0  # of a variance, which is 1 under the flow's prior


def squares_block(public: PublicModel, share: float) -> RecordBlock:
    """Mean squares by group less 1; the bound is that of mean squares which are all off by 1."""
    return RecordBlock(size=public.groups, bound=math.sqrt(public.groups), share=share)


def squares(latents: Matrix) -> Matrix:
    """``(n, groups)`` mean square of each group of coarse latents, less the prior's 1."""
    return np.asarray((latents**2).reshape(len(latents), -1, GROUP).mean(axis=2) - 1)


def fitted(
    sizes: NoisyBlock, sums: NoisyBlock, mean_squares: NoisyBlock, clip: float
) -> LatentMixture:
    """One Gaussian of each component, with variances that all share.

    The cohort's mean is shrunk towards the prior's 0, and the mean of each component towards the
    cohort's. A component that does not stand out of its noise has no mean of its own; where the
    whole cohort does not, the prior stays as it is.

    Args:
        sizes: ``(k,)`` patients by component.
        sums: ``(k m,)`` coarse latents, summed by component.
        mean_squares: ``(m / 16,)`` sums of `squares`.
        clip: Of a patient's latents, and so the largest length of any mean.
    """
    groups = len(mean_squares.sums)
    patients = np.maximum(sizes.sums, 0.0)
    rows = sums.sums.reshape(len(patients), -1)
    total = float(patients.sum())
    if total <= CLEAR * math.sqrt(len(rows)) * sizes.deviation:
        return LatentMixture.prior(rows.shape[1])
    noise = sums.deviation**2
    mean = rows.sum(axis=0) / total
    cohort = shrunk(mean, np.zeros_like(mean), noise * len(rows) / total**2, groups)
    means = np.stack(
        [
            shrunk(row / count, cohort, noise / count**2, groups)
            if count > CLEAR * sizes.deviation
            else cohort
            for row, count in zip(rows, patients, strict=True)
        ]
    )
    means = clip_norm(means, clip, 2)
    weights = patients / total
    deviations = _deviations(mean_squares, total, means, weights)
    return LatentMixture(
        weights=weights, means=means, deviations=np.tile(deviations, (len(rows), 1))
    )


def _deviations(
    mean_squares: NoisyBlock, total: float, means: Matrix, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Standard deviation ``(m,)`` around the means, shrunk towards the prior's 1."""
    spread = (weights @ means**2).reshape(-1, GROUP).mean(axis=1)
    raw = 1 + mean_squares.sums / total - spread
    variance = shrunk(raw, np.ones_like(raw), (mean_squares.deviation / total) ** 2, 1)
    return np.repeat(np.sqrt(np.clip(variance, NARROWEST, WIDEST)), GROUP)
