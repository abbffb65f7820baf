"""How many bits readers of one family find: leakage beside an attacker who is named.

V-information (Xu et al. 2020, "A theory of usable information under computational constraints",
arXiv 2002.10689, definition 2) of a secret Y in what is seen, X, for a family V of readers:

    I_V(X -> Y) = H_V(Y) - H_V(Y | X)

the entropy of who guesses well without X, less that of the best reader of the family with it. It
is never more than Shannon's, which noise bounds whoever reads: under mu-GDP the divergence between
any two secrets' outputs is at most mu^2 / 2 nats.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_expit, logsumexp

from latentdp.metrics.bootstrap import Estimate, Resamples, estimate, mean

__all__ = ["choice_bits", "gaussian_ceiling", "side_bits"]

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]
Reader = Callable[[Index, float], Matrix]  # nats of the truth, of some probes at a sharpness

SHARPEST = 12.0  # logarithm of the steepest reader
FOLDS = 2


def choice_bits(scores: Matrix, own: Index, seed: int) -> Estimate | None:
    """Bits of which of a gallery it is, of log2 of its size.

    The family: probabilities that grow with a similarity, ``softmax(b s)`` for any b from 0 up,
    with some doubt. What is judged by b never chose it: each half of the probes is judged by the
    other's; and m probes that were all right leave a doubt of 1 / (m + 2) (Laplace's rule).

        >>> found = choice_bits(np.eye(64), np.arange(64), 0)
        >>> round(found.value, 1)
        6.0

    Args:
        scores: ``(p, n)`` of p probes against n candidates; each row is scaled to deviation 1.
        own: ``(p,)`` the right candidate of each.
        seed: Of the bootstrap.

    Returns:
        Bits with their interval over probes; None for fewer than two probes or candidates. A
        little below 0 is none.
    """
    n = scores.shape[1]
    spread = scores.std(axis=1, keepdims=True)
    away = scores - scores.mean(axis=1, keepdims=True)
    scaled = np.divide(away, spread, out=np.zeros(scores.shape), where=spread > 1e-9)

    def nats(rows: Index, sharpness: float) -> Matrix:
        odds = sharpness * scaled[rows]
        return np.asarray(odds[np.arange(len(rows)), own[rows]] - logsumexp(odds, axis=1))

    return _bits(nats, len(scores), math.log(n), seed) if n > 1 else None


def side_bits(scores: Matrix, side: NDArray[np.bool_], seed: int) -> Estimate | None:
    """Bits of a yes or no that is as often one as the other, by a number.

    The family: probabilities that grow with the number, ``expit(b (s - mean))``, with doubt as of
    `choice_bits`.

    Args:
        scores: ``(p,)``; larger for a yes.
        side: ``(p,)`` the truth.
        seed: Of the bootstrap.
    """
    spread = float(scores.std())
    scaled = (scores - scores.mean()) / spread if spread > 0 else np.zeros(len(scores))

    def nats(rows: Index, sharpness: float) -> Matrix:
        return np.asarray(log_expit(sharpness * np.where(side[rows], scaled[rows], -scaled[rows])))

    return _bits(nats, len(scores), math.log(2), seed)


def gaussian_ceiling(mu: float) -> float:
    """Largest bits of any reader of any family under mu-GDP, of a secret that mu is about.

    >>> round(gaussian_ceiling(0.5), 3)
    0.18
    """
    return mu**2 / 2 / math.log(2)


def _bits(nats: Reader, count: int, entropy: float, seed: int) -> Estimate | None:
    if count < FOLDS:
        return None
    rows = np.arange(count)
    gained = np.zeros(count)
    doubt = 1 / (count // FOLDS + 2)
    for fold in range(FOLDS):
        judged, known = rows[rows % FOLDS == fold], rows[rows % FOLDS != fold]

        def cost(log_sharpness: float, known: Index = known) -> float:
            return -float(nats(known, math.exp(log_sharpness)).mean())

        best = minimize_scalar(cost, bounds=(-SHARPEST, SHARPEST / 2), method="bounded")
        sure = math.log1p(-doubt) + nats(judged, math.exp(best.x))
        gained[judged] = entropy + np.logaddexp(sure, math.log(doubt) - entropy)
    weights = Resamples(rows, seed=seed).counts
    return estimate(mean(gained / math.log(2), weights))
