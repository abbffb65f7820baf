"""Lower bounds of what a mechanism loses, from its outputs, beside what it claims.

`clopper_pearson` runs a mechanism of any size many times on two opposite inputs and asks how often
the best event occurs under each. `one_run` runs it once on many independent canaries and counts
how many it gives away. (`latentdp.privacy.audit.enumeration` adds up small mechanisms exactly.)

A lower bound above the claim is a proof of a mistake, up to the stated chance of a false alarm; a
lower bound below the claim proves nothing. No audit can certify a large epsilon (a million trials
certify 12.5 nats at most), so parts are audited and their bounds are added as their claims are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import beta, binom, chi2

from latentdp.core.arrays import Latents
from latentdp.errors import InputError
from latentdp.privacy.audit.enumeration import FAR, Finding, added, draws
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.mechanisms.base import Mechanism
from latentdp.privacy.noise import Noise

__all__ = [
    "CONFIDENCE",
    "clopper_pearson",
    "corners",
    "guessing_bound",
    "one_run",
    "ratio_agreement",
]

CONFIDENCE = 1 - 1e-6
_PILOT = 8192  # canaries that choose how many guesses are made
_MEMORY = 2**25  # latent elements of one run


def clopper_pearson(
    mechanism: Mechanism,
    *,
    noise: Noise,
    trials: int = 100_000,
    confidence: float = CONFIDENCE,
    delta: float | None = None,
) -> Finding:
    """A lower bound of epsilon from the frequencies of the best event under two inputs.

    By the lemma of Neyman and Pearson (1933) the best events are thresholds on the likelihood
    ratio. One half of the draws chooses the inputs, the direction and the threshold; the other
    half tests that one event. With the bounds of Clopper and Pearson (1934) on its two
    frequencies, epsilon is at least ln ((lowest P - delta) / highest Q).

    Args:
        mechanism: Any size.
        noise: Of the draws.
        trials: Draws for each of the two inputs, of each part.
        confidence: Of all that is returned together.
        delta: At which the noise is read (`Mechanism.approximate`); None for the claim itself.
    """
    _check(trials, confidence)
    if delta is not None:
        return _event_bound(mechanism, mechanism.approximate(delta), trials, 1 - confidence, noise)
    alarm = (1 - confidence) / len(mechanism.parts)
    bounds = [
        (_event_bound(part, part.guarantee, trials, alarm, noise), n)
        for part, n in mechanism.parts
    ]
    return added(mechanism, bounds)


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
    _check(canaries, confidence)
    if delta is not None:
        claim = mechanism.approximate(delta)
        return _guesses_bound(mechanism, mechanism, claim, canaries, 1 - confidence, noise)
    alarm = (1 - confidence) / len(mechanism.parts)
    bounds = []
    for part, n in mechanism.parts:
        runner = mechanism if part.dimensions == 1 and n == mechanism.dimensions else part
        found = _guesses_bound(runner, part, part.guarantee, canaries, alarm, noise)
        bounds.append((found, n))
    return added(mechanism, bounds)


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
    first, second = (_scores(mechanism, x, pair, trials, noise) for x in pair)
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


def corners(dimensions: int) -> list[tuple[Latents, Latents]]:
    """Pairs of opposite inputs, each ``(1, dimensions)``: in all elements, and in one."""
    ones = np.full((1, dimensions), FAR)
    one = np.zeros((1, dimensions))
    one[0, 0] = FAR
    return [(ones, -ones)] if dimensions == 1 else [(ones, -ones), (one, -one)]


def _event_bound(
    part: Mechanism, claim: Guarantee, trials: int, alarm: float, noise: Noise
) -> Finding:
    half, delta = trials // 2, claim.delta
    best, choice = -math.inf, (corners(part.dimensions)[0], 1.0, 0.0)
    for pair in corners(part.dimensions):
        scores = [_scores(part, x, pair, half, noise) for x in pair]
        for sign in (1.0, -1.0):
            true, false = (np.sort(sign * s) for s in scores[:: int(sign)])
            levels = np.linspace(0, 1, 400)
            thresholds = np.unique(
                np.concatenate([np.quantile(s, levels, method="nearest") for s in (true, false)])
            )
            hits, errors = (half - np.searchsorted(s, thresholds) for s in (true, false))
            bounds = _log_ratio(hits, errors, half, delta, alarm)
            if bounds.max() > best:
                best = float(bounds.max())
                choice = (pair, sign, float(thresholds[bounds.argmax()]))
    pair, sign, threshold = choice
    rest = trials - half
    hits, errors = (
        np.array((sign * _scores(part, x, pair, rest, noise) >= threshold).sum())
        for x in pair[:: int(sign)]
    )
    found = float(_log_ratio(hits, errors, rest, delta, alarm))
    return Finding(claim=claim, found=max(0.0, found))


def _log_ratio(
    hits: NDArray[np.int64], errors: NDArray[np.int64], n: int, delta: float, alarm: float
) -> NDArray[np.float64]:
    """Clopper-Pearson: ln ((lowest P - delta) / highest Q), each at half of ``alarm``."""
    p = np.where(hits > 0, beta.ppf(alarm / 2, np.maximum(hits, 1), n - hits + 1), 0.0)
    q = np.where(errors < n, beta.ppf(1 - alarm / 2, errors + 1, np.maximum(n - errors, 1)), 1.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.maximum(p - delta, 0.0)) - np.log(q))


def _scores(
    part: Mechanism, x: Latents, pair: tuple[Latents, Latents], n: int, noise: Noise
) -> NDArray[np.float64]:
    """Log-likelihood ratios of ``n`` draws from ``x``: of the pair's first to its second."""
    return np.concatenate([_ratio(part, pair, y) for y in draws(part, x, n, noise)])


def _ratio(
    part: Mechanism, pair: tuple[Latents, Latents], perturbed: NDArray[Any]
) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # impossible under both: says nothing
        gap = part.log_likelihood(pair[0], perturbed) - part.log_likelihood(pair[1], perturbed)
    # Rounded, so that equal ratios are equal and not apart by the order of their sums.
    return np.asarray(np.round(np.where(np.isnan(gap), 0.0, gap), 9), dtype=np.float64)


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
    found = guessing_bound(right, guesses, canaries, claim.delta, alarm)
    return Finding(claim=claim, found=found)


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
        score[kind == k] = _ratio(part, pair, perturbed[kind == k])
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


def _check(trials: int, confidence: float) -> None:
    if trials < 1000:
        raise InputError(f"expected at least 1000 trials, got {trials}")
    if not 0.5 <= confidence < 1:
        raise InputError(f"expected a confidence in [0.5, 1), got {confidence}")
