"""A lower bound of epsilon from the frequencies of the best event under two inputs.

By the lemma of Neyman and Pearson (1933) the best events are thresholds on the likelihood ratio.
One half of the draws chooses the scores, the direction and the threshold; the other half tests
that one event. With the bounds of Clopper and Pearson (1934) on its two frequencies, epsilon is at
least ln ((lowest P - delta) / highest Q).

A lower bound above the claim is a proof of a mistake, up to the stated chance of a false alarm; a
lower bound below the claim proves nothing. No audit can certify a large epsilon (a million trials
certify 12.5 nats at most), so parts are audited and their bounds are added as their claims are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from latentdp.errors import InputError
from latentdp.privacy.audit.enumeration import Finding, added
from latentdp.privacy.audit.likelihood_ratios import corners, drawn_ratios
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.mechanisms.base import Mechanism
from latentdp.privacy.noise import Noise

__all__ = [
    "CONFIDENCE",
    "Event",
    "best_event",
    "check_trials",
    "clopper_pearson",
    "largest_bound",
    "log_ratio",
]

CONFIDENCE = 1 - 1e-6
_LEVELS = 400  # quantiles of each sample that are tried as thresholds

Scores = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Event:
    """A threshold on a score, from one side.

    Attributes:
        sign: 1 where large scores speak for the first input, -1 where small ones do.
        threshold: Scores times ``sign`` of at least this are the event.
        promised: The bound that the draws which chose it would give, in nats; too good.
    """

    sign: float
    threshold: float
    promised: float

    def bound(self, first: Scores, second: Scores, *, delta: float, alarm: float) -> float:
        """The lower bound of epsilon, in nats, from other draws than those that chose it.

        Args:
            first: Scores of draws from the first input.
            second: As many from the second.
            delta: Of the claim.
            alarm: Chance of a bound that is too high.
        """
        samples = (first, second)[:: int(self.sign)]
        hits, errors = (np.array((self.sign * s >= self.threshold).sum()) for s in samples)
        return max(0.0, float(log_ratio(hits, errors, len(first), delta, alarm)))


def clopper_pearson(
    mechanism: Mechanism,
    *,
    noise: Noise,
    trials: int = 100_000,
    confidence: float = CONFIDENCE,
    delta: float | None = None,
) -> Finding:
    """A lower bound of epsilon from the frequencies of the best event under two inputs.

    The scores are the mechanism's own likelihood ratios; one half of the draws chooses the inputs
    too.

    Args:
        mechanism: Any size.
        noise: Of the draws.
        trials: Draws for each of the two inputs, of each part.
        confidence: Of all that is returned together.
        delta: At which the noise is read (`Mechanism.approximate`); None for the claim itself.
    """
    check_trials(trials, confidence)
    if delta is not None:
        return _event_bound(mechanism, mechanism.approximate(delta), trials, 1 - confidence, noise)
    alarm = (1 - confidence) / len(mechanism.parts)
    bounds = [
        (_event_bound(part, part.guarantee, trials, alarm, noise), n)
        for part, n in mechanism.parts
    ]
    return added(mechanism, bounds)


def best_event(first: Scores, second: Scores, *, delta: float, alarm: float) -> Event:
    """The event that promises the highest bound.

    Args:
        first: Scores of draws from the first input.
        second: As many from the second.
        delta: Of the claim.
        alarm: Chance of a bound that is too high.
    """
    n, events = len(first), []
    for sign in (1.0, -1.0):
        true, false = (np.sort(sign * s) for s in (first, second)[:: int(sign)])
        levels = np.linspace(0, 1, _LEVELS)
        thresholds = np.unique(
            np.concatenate([np.quantile(s, levels, method="nearest") for s in (true, false)])
        )
        hits, errors = (n - np.searchsorted(s, thresholds) for s in (true, false))
        bounds = log_ratio(hits, errors, n, delta, alarm)
        best = int(bounds.argmax())
        events.append(
            Event(sign=sign, threshold=float(thresholds[best]), promised=float(bounds[best]))
        )
    return max(events, key=lambda event: event.promised)


def log_ratio(
    hits: NDArray[np.int64], errors: NDArray[np.int64], n: int, delta: float, alarm: float
) -> NDArray[np.float64]:
    """Clopper-Pearson: ln ((lowest P - delta) / highest Q), each at half of ``alarm``.

    Args:
        hits: Draws from the likelier input in the event, of each event.
        errors: Draws from the other one in it.
        n: Draws from each.
        delta: Of the claim.
        alarm: Chance of a bound that is too high.
    """
    p = np.where(hits > 0, beta.ppf(alarm / 2, np.maximum(hits, 1), n - hits + 1), 0.0)
    q = np.where(errors < n, beta.ppf(1 - alarm / 2, errors + 1, np.maximum(n - errors, 1)), 1.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.maximum(p - delta, 0.0)) - np.log(q))


def largest_bound(draws: int, *, delta: float = 0.0, confidence: float = CONFIDENCE) -> float:
    """Most epsilon that so many draws can show, in nats, if the two inputs are never confused.

    Args:
        draws: Under each of the two inputs; half of them choose the event.
        delta: Of the claim.
        confidence: Of the bound.

    Example:
        >>> 1.0 < largest_bound(100) < 1.1 < 6 < largest_bound(20_000) < 7
        True
    """
    tested = draws - draws // 2
    bound = log_ratio(np.array(tested), np.array(0), tested, delta, 1 - confidence)
    return max(0.0, float(bound))


def check_trials(trials: int, confidence: float, *, least: int = 1000) -> None:
    """Refuses too few draws and what is no confidence.

    Raises:
        InputError: Fewer than ``least`` trials, or a confidence outside of [0.5, 1).
    """
    if trials < least:
        raise InputError(f"expected at least {least} trials, got {trials}")
    if not 0.5 <= confidence < 1:
        raise InputError(f"expected a confidence in [0.5, 1), got {confidence}")


def _event_bound(
    part: Mechanism, claim: Guarantee, trials: int, alarm: float, noise: Noise
) -> Finding:
    half, delta = trials // 2, claim.delta
    events = []
    for pair in corners(part.dimensions):
        first, second = (drawn_ratios(part, x, pair, half, noise) for x in pair)
        events.append((best_event(first, second, delta=delta, alarm=alarm), pair))
    event, pair = max(events, key=lambda one: one[0].promised)
    first, second = (drawn_ratios(part, x, pair, trials - half, noise) for x in pair)
    return Finding(claim=claim, found=event.bound(first, second, delta=delta, alarm=alarm))
