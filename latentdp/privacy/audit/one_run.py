"""A lower bound of epsilon from one run on many canaries (Steinke, Nasr and Jagielski 2023)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import binom

from latentdp.privacy.audit.best_event import CONFIDENCE, check_trials
from latentdp.privacy.audit.enumeration import Finding, added
from latentdp.privacy.audit.likelihood_ratios import corners, ratio
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.mechanisms.base import Mechanism
from latentdp.privacy.noise import Noise

__all__ = ["guessing_bound", "one_run"]

_PILOT = 8192  # canaries that choose how many guesses are made
_MEMORY = 2**25  # latent elements of one run


def one_run(
    mechanism: Mechanism,
    *,
    noise: Noise,
    canaries: int = 100_000,
    confidence: float = CONFIDENCE,
    delta: float | None = None,
) -> Finding:
    """A lower bound of epsilon from one run on many independent canaries.

    Each canary is one of two opposite inputs, by a fair coin. The outputs are ranked by their
    likelihood ratio, the most telling ones are guessed, and the number of right guesses is
    compared with the most that epsilon allows (Steinke, Nasr and Jagielski 2023, arXiv
    2305.08846, main theorem and appendix D): Binomial(guesses, e^epsilon / (1 + e^epsilon)), and a
    term for delta. The number of guesses is chosen on a pilot of other draws.

    A mechanism whose parts are its elements has a canary in every element of its latents;
    otherwise the rows of one batch are the canaries. With a delta the bound is 0 unless ``delta *
    canaries`` is far below the chance of a false alarm.

    Args:
        mechanism: Any size.
        noise: Of the coins and the draws.
        canaries: Number of canaries of each part; fewer if they would not fit into memory.
        confidence: Of all that is returned together.
        delta: At which the noise is read (`Mechanism.approximate`); None for the claim itself.
    """
    check_trials(canaries, confidence)
    if delta is not None:
        claim = mechanism.approximate(delta)
        return _guesses_bound(mechanism, mechanism, claim, canaries, 1 - confidence, noise)
    alarm = (1 - confidence) / len(mechanism.parts)
    bounds = []
    for part, n in mechanism.parts:
        runner = mechanism if part.dimensions == 1 and n == mechanism.dimensions else part
        bound = _guesses_bound(runner, part, part.guarantee, canaries, alarm, noise)
        bounds.append((bound, n))
    return added(mechanism, bounds)


def guessing_bound(right: int, guesses: int, canaries: int, delta: float, alarm: float) -> float:
    """The largest epsilon that so many right guesses refute, in nats; at least 0.

    Args:
        right: Number of right guesses.
        guesses: Number of guesses, fixed before the run.
        canaries: Number of fair coins.
        delta: Of the claim.
        alarm: Chance of a bound that is too high.
    """

    def excess(epsilon: float) -> float:
        return _p_value(right, guesses, canaries, epsilon, delta) - alarm

    if excess(0.0) >= 0:
        return 0.0
    high = 1.0
    while excess(high) < 0:
        high *= 2
    return float(brentq(excess, 0.0, high, xtol=1e-9))


def _guesses_bound(
    runner: Mechanism,
    part: Mechanism,
    claim: Guarantee,
    canaries: int,
    alarm: float,
    noise: Noise,
) -> Finding:
    canaries = min(canaries, max(1000, _MEMORY // part.dimensions))
    score, _ = _canaries(runner, part, min(canaries, _PILOT), noise)
    guesses = _best_guesses(score, canaries, claim.delta, alarm)
    score, truth = _canaries(runner, part, canaries, noise)
    chosen = np.argsort(-np.abs(score), kind="stable")[:guesses]
    right = int((np.sign(score[chosen]) == truth[chosen]).sum())
    epsilon = guessing_bound(right, guesses, canaries, claim.delta, alarm)
    return Finding(claim=claim, found=epsilon)


def _canaries(
    runner: Mechanism, part: Mechanism, n: int, noise: Noise
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log-likelihood ratio and true sign of ``n`` canaries in one call of `perturb`."""
    words = noise.words(n)
    truth = np.where(words & np.uint64(1), 1.0, -1.0)
    pairs = corners(part.dimensions)
    kind = np.arange(n) % len(pairs)
    latents = np.concatenate([first for first, _ in pairs])[kind] * truth[:, None]
    if runner is part:
        perturbed = part.perturb(latents, noise)
    else:  # a canary in each element; the last row is filled up with zeros
        rows = -(-n // runner.dimensions)
        filled = np.concatenate([latents.ravel(), np.zeros(rows * runner.dimensions - n)])
        perturbed = runner.perturb(filled.reshape(rows, -1), noise).reshape(-1, 1)[:n]
    score = np.empty(n)
    for k, pair in enumerate(pairs):
        score[kind == k] = ratio(part, pair, perturbed[kind == k])
    return score, truth


def _best_guesses(pilot: NDArray[np.float64], canaries: int, delta: float, alarm: float) -> int:
    """How many guesses promise the highest bound, by the confidence of the pilot's guesses."""
    sure = 1 / (1 + np.exp(-np.sort(np.abs(pilot))[::-1]))
    shares = np.unique(np.geomspace(min(1.0, 32 / len(pilot)), 1.0, 12))
    promised = [
        guessing_bound(
            math.floor(canaries * share * sure[: max(1, int(share * len(pilot)))].mean()),
            math.ceil(canaries * share),
            canaries,
            delta,
            alarm,
        )
        for share in shares
    ]
    return math.ceil(canaries * float(shares[int(np.argmax(promised))]))


def _p_value(right: int, guesses: int, canaries: int, epsilon: float, delta: float) -> float:
    """Chance of at least ``right`` right guesses under (epsilon, delta), bounded from above."""
    q = 1 / (1 + math.exp(-epsilon))
    chance = float(binom.sf(right - 1, guesses, q))
    if delta and right:
        # beta + 2 m delta max_i P(right - i <= W < right) / i
        # Far below the mean nothing is left to add, and the quotient falls.
        reach = abs(right - guesses * q) + 40 * math.sqrt(guesses)
        i = np.arange(1, min(right, math.ceil(reach)) + 1)
        mass = np.cumsum(binom.pmf(right - i, guesses, q))
        chance += 2 * canaries * delta * float((mass / i).max())
    return min(chance, 1.0)
