"""What a small mechanism does, added up over all its outcomes.

`enumerate_exactly` finds the loss of a mechanism from the probabilities that it states: no chance
is involved. `agreement` asks whether its sampler has those probabilities (chi-square). Together
they are much stronger than any bound from frequencies, see `latentdp.privacy.audit.best_event`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2

from latentdp.core.arrays import Latents
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.mechanisms.base import Mechanism
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.uniform import normal

__all__ = ["FAR", "Finding", "added", "agreement", "claimed", "draws", "enumerate_exactly"]

FAR = 1e9  # what an adversary makes of a latent; every clip is nearer
_ROUNDING = 1e-9  # of sums over logarithms of probabilities, in nats
_ELEMENTS = 2**20  # drawn at once
_ROWS = 2**14


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one audit found.

    Attributes:
        claim: Of the mechanism.
        found: Epsilon in nats at the claim's delta: exact, or a lower bound.
        parts: The findings of its parts, each with the number of times that it counts.
        flaw: What makes ``found`` meaningless, in words; empty if nothing does.
    """

    claim: Guarantee
    found: float
    parts: tuple[tuple[Finding, int], ...] = ()
    flaw: str = ""

    @property
    def ok(self) -> bool:
        """Nothing was found that contradicts the claim, of the whole or of a part."""
        within = self.found <= self.claim.epsilon * (1 + _ROUNDING) + _ROUNDING
        return not self.flaw and within and all(part.ok for part, _ in self.parts)


def enumerate_exactly(
    mechanism: Mechanism, noise: Noise, delta: float | None = None
) -> Finding | None:
    """The exact loss of a small mechanism, over all its outcomes and many pairs of inputs.

    For a pure claim it is the largest log-ratio of probabilities; with a delta, the smallest
    epsilon at which no pair's sum of max(0, P - e^epsilon Q) (the hockey-stick divergence) is
    above delta.

    Args:
        mechanism: Itself or its parts must list their `outcomes`.
        noise: Of the random ones among the inputs.
        delta: At which the noise is read (`Mechanism.approximate`); None for the claim itself.

    Returns:
        None if there are too many outcomes.
    """
    outcomes = mechanism.outcomes()
    if outcomes is None:
        if delta is not None or mechanism.parts == ((mechanism, 1),):
            return None
        parts = [(enumerate_exactly(part, noise), n) for part, n in mechanism.parts]
        known = [(finding, n) for finding, n in parts if finding is not None]
        return added(mechanism, known) if len(known) == len(parts) else None
    claim = claimed(mechanism, delta)
    logs = np.stack(
        [mechanism.log_likelihood(x[None], outcomes) for x in _inputs(mechanism.dimensions, noise)]
    )
    if np.isnan(logs).any():
        return Finding(claim=claim, found=math.inf, flaw="a probability is not a number")
    totals = np.exp(logs).sum(axis=1)
    flaw = ""
    if np.abs(totals - 1).max() > _ROUNDING:
        flaw = f"probabilities add up to {totals[np.abs(totals - 1).argmax()]:.9g}"
    return Finding(claim=claim, found=_exact_epsilon(logs, claim), flaw=flaw)


def agreement(
    mechanism: Mechanism,
    latent: Latents,
    *,
    noise: Noise,
    trials: int = 100_000,
    mates: Latents | None = None,
) -> float | None:
    """Whether `perturb` has the distribution that `log_likelihood` states: a p-value.

    Pearson's chi-square over the outcomes, neighbours pooled until 20 draws are expected.

    Args:
        mechanism: Must list its `outcomes`.
        latent: ``(1, dimensions)``; its outcomes are counted.
        noise: Of the draws.
        trials: Number of draws.
        mates: ``(n, dimensions)`` other rows of the same batch, which must not matter.

    Returns:
        None if there are too many outcomes; 0 if an impossible one was drawn.
    """
    outcomes = mechanism.outcomes()
    if outcomes is None:
        return None
    copies = np.broadcast_to(latent, (trials, mechanism.dimensions))
    if mates is None:
        outputs = np.concatenate(list(draws(mechanism, latent, trials, noise)))
    else:
        batch = np.concatenate([mates, copies, mates])
        outputs = mechanism.perturb(batch, noise)[len(mates) : len(mates) + trials]
    place = {row.tobytes(): i for i, row in enumerate(np.ascontiguousarray(outcomes))}
    values, counts = np.unique(outputs.astype(outcomes.dtype), axis=0, return_counts=True)
    rows = [place.get(value.tobytes(), -1) for value in values]
    if -1 in rows:
        return 0.0
    observed = np.zeros(len(outcomes))
    observed[rows] = counts
    expected = trials * np.exp(mechanism.log_likelihood(latent, outcomes))
    return _chi_square(observed, expected)


def claimed(mechanism: Mechanism, delta: float | None) -> Guarantee:
    """The claim, or the same noise read at another delta."""
    return mechanism.guarantee if delta is None else mechanism.approximate(delta)


def added(mechanism: Mechanism, parts: list[tuple[Finding, int]]) -> Finding:
    """The finding of a whole from those of its parts, which add up as their claims do."""
    if len(parts) == 1 and parts[0][1] == 1 and parts[0][0].claim == mechanism.guarantee:
        return parts[0][0]
    total = math.fsum(n * part.found for part, n in parts)
    return Finding(claim=mechanism.guarantee, found=total, parts=tuple(parts))


def draws(mechanism: Mechanism, x: Latents, n: int, noise: Noise) -> Iterator[NDArray[Any]]:
    """Perturbed rows of the same latent, in batches."""
    rows = min(_ROWS, max(1, _ELEMENTS // mechanism.dimensions))
    for start in range(0, n, rows):
        batch = np.repeat(x, min(rows, n - start), axis=0)
        yield mechanism.perturb(batch, noise)


def _inputs(dimensions: int, noise: Noise) -> Latents:
    """Inputs that are compared with one another, ``(n, dimensions)``."""
    axes = FAR * np.eye(dimensions)[:16]
    signs = FAR * np.where(np.arange(dimensions) % 2, 1.0, -1.0)[None]
    ones = np.full((1, dimensions), FAR)
    ordinary = normal(noise, (16, dimensions))
    zero = np.zeros((1, dimensions))
    return np.concatenate([ones, -ones, signs, axes, -axes, zero, ordinary, 3 * ordinary])


def _exact_epsilon(logs: NDArray[np.float64], claim: Guarantee) -> float:
    """The epsilon of probabilities ``(inputs, outcomes)`` given as logarithms."""
    if claim.delta == 0:
        possible = logs.max(axis=0) > -np.inf
        with np.errstate(invalid="ignore"):
            return float((logs.max(axis=0) - logs.min(axis=0))[possible].max())
    probabilities = np.exp(logs)

    def excess(epsilon: float, p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
        return float(np.maximum(0.0, p - math.exp(epsilon) * q).sum()) - claim.delta

    worst = 0.0
    for p in probabilities:
        for q in probabilities:
            if excess(worst, p, q) > 0:
                high = max(1.0, 2 * worst)
                while excess(high, p, q) > 0:
                    if high > 500:
                        return math.inf
                    high *= 2
                worst = brentq(excess, worst, high, args=(p, q), xtol=1e-12)
    return worst


def _chi_square(observed: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    if (observed[expected == 0] > 0).any():
        return 0.0
    starts = _cells(expected)
    if len(starts) < 2:  # a large outcome may take small ones on both sides: these go together
        ascending = np.argsort(expected, kind="stable")
        observed, expected = observed[ascending], expected[ascending]
        starts = _cells(expected)
    if len(starts) < 2:
        raise InputError("too few trials for the agreement of a distribution")
    counts, means = np.add.reduceat(observed, starts), np.add.reduceat(expected, starts)
    return float(chi2.sf(((counts - means) ** 2 / means).sum(), len(starts) - 1))


def _cells(expected: NDArray[np.float64]) -> list[int]:
    """Where cells of at least 20 expected draws begin."""
    starts, gathered = [0], 0.0
    for i, value in enumerate(expected):
        gathered += value
        if gathered >= 20:
            starts.append(i + 1)
            gathered = 0.0
    return starts[:-1]  # what is left over joins the last full cell
