"""What Gaussian noise gives at each epsilon (Balle and Wang 2018, arXiv 1805.06530, theorem 8)."""

from __future__ import annotations

import math

from scipy.special import log_ndtr

__all__ = ["log_delta"]


def log_delta(epsilon: float, ratio: float) -> float:
    """Natural logarithm of the least delta; -infinity for 0.

    Args:
        epsilon: In nats.
        ratio: Standard deviation of the noise over the l2 sensitivity.
    """
    first = float(log_ndtr(0.5 / ratio - epsilon * ratio))
    second = epsilon + float(log_ndtr(-0.5 / ratio - epsilon * ratio))
    gap = second - first
    return first + math.log(-math.expm1(gap)) if gap < 0 else -math.inf
