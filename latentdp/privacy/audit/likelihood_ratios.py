"""Likelihood ratios: what a mechanism's outputs say for one of two inputs against the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from latentdp.core.arrays import Latents
from latentdp.privacy.audit.enumeration import FAR, draws
from latentdp.privacy.mechanisms.base import Mechanism
from latentdp.privacy.noise import Noise

__all__ = ["corners", "drawn_ratios", "ratio", "ratio_agreement"]


def corners(dimensions: int) -> list[tuple[Latents, Latents]]:
    """Pairs of opposite inputs, each ``(1, dimensions)``: in all elements, and in one."""
    ones = np.full((1, dimensions), FAR)
    one = np.zeros((1, dimensions))
    one[0, 0] = FAR
    return [(ones, -ones)] if dimensions == 1 else [(ones, -ones), (one, -one)]


def drawn_ratios(
    part: Mechanism, x: Latents, pair: tuple[Latents, Latents], n: int, noise: Noise
) -> NDArray[np.float64]:
    """Log-likelihood ratios of ``n`` draws from ``x``: of the pair's first to its second."""
    return np.concatenate([ratio(part, pair, y) for y in draws(part, x, n, noise)])


def ratio(
    part: Mechanism, pair: tuple[Latents, Latents], perturbed: NDArray[Any]
) -> NDArray[np.float64]:
    """Log-likelihood ratios of outputs ``(n,)``: of the pair's first to its second."""
    with np.errstate(invalid="ignore"):  # impossible under both: says nothing
        gap = part.log_likelihood(pair[0], perturbed) - part.log_likelihood(pair[1], perturbed)
    # Rounded, so that equal ratios are equal and not apart by the order of their sums.
    return np.asarray(np.round(np.where(np.isnan(gap), 0.0, gap), 9), dtype=np.float64)


def ratio_agreement(
    mechanism: Mechanism,
    pair: tuple[Latents, Latents],
    *,
    noise: Noise,
    trials: int = 100_000,
) -> float:
    """Whether `log_likelihood` tells the true ratio of the sampler's frequencies: a p-value.

    Draws under both inputs are sorted into cells by their log-ratio s. In each cell the number
    under the first must be the sum of e^s under the second; the squared errors add up to a
    chi-square. For mechanisms with too many outcomes for
    `latentdp.privacy.audit.enumeration.agreement`.

    Args:
        mechanism: Any size.
        pair: Two inputs, each ``(1, dimensions)``.
        noise: Of the draws.
        trials: Number of draws for each of the two inputs.
    """
    first, second = (drawn_ratios(mechanism, x, pair, trials, noise) for x in pair)
    edges = np.unique(np.quantile(np.concatenate([first, second]), np.linspace(0, 1, 41)))
    cells = [np.searchsorted(edges, s, side="right") for s in (first, second)]
    counts = [np.bincount(c, minlength=len(edges) + 1) for c in cells]
    weight = np.exp(np.minimum(second, 700))
    expected, variance = (
        np.bincount(cells[1], weight**power, minlength=len(edges) + 1) for power in (1, 2)
    )
    used = (counts[0] >= 50) & (counts[1] >= 50)
    squares = (counts[0] - expected)[used] ** 2 / (counts[0] + variance)[used]
    return float(chi2.sf(squares.sum(), used.sum()))
