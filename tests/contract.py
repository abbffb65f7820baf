"""What every mechanism must do, as functions that say what is wrong.

They look from outside only: inputs, outputs and the claimed guarantee. The same functions are run
on broken mechanisms, which they must catch.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from latentdp.noise import SeededNoise

FAR = 1e9  # an adversary's latent
ALARM = 1e-6


class Replay:
    """Each call starts its own stream, so one row gets the same words alone and in a batch."""

    secure = False

    def __init__(self) -> None:
        self.calls = 0

    def words(self, n: int) -> np.ndarray:
        self.calls += 1
        return SeededNoise(self.calls).words(100_000)[:n]


def row(mechanism: Any, value: float) -> np.ndarray:
    return np.full((1, mechanism.dimensions), value)


def finite_for_any_input(mechanism: Any) -> bool:
    z = np.array([[np.nan], [np.inf], [-np.inf], [FAR], [0.0]]) * np.ones(mechanism.dimensions)
    return bool(np.isfinite(mechanism.privatize(z, noise=SeededNoise(0))).all())


def input_is_untouched(mechanism: Any) -> bool:
    z = np.random.default_rng(0).normal(size=(3, mechanism.dimensions))
    before = z.copy()
    mechanism.privatize(z, noise=SeededNoise(0))
    return bool((z == before).all())


def batch_mates_change_nothing(mechanism: Any) -> bool:
    mine = np.random.default_rng(1).normal(size=(1, mechanism.dimensions))
    alone = mechanism.privatize(mine, noise=Replay())
    for mate in (0.0, 5.0, FAR):
        both = mechanism.privatize(
            np.concatenate([mine, row(mechanism, mate), row(mechanism, mate)]), noise=Replay()
        )
        if not np.array_equal(both[:1], alone):
            return False
    return True


def randomness_is_fresh(mechanism: Any) -> bool:
    """Equal rows of a batch, and equal calls, never get equal noise (chance below 2^-40)."""
    z = np.zeros((40, mechanism.dimensions))
    noise = SeededNoise(0)
    out = np.concatenate(
        [mechanism.privatize(z, noise=noise), mechanism.privatize(z, noise=noise)]
    )
    columns_differ = mechanism.dimensions == 1 or len(np.unique(out[0])) > 1
    return columns_differ and len(np.unique(out, axis=0)) > len(out) // 2


def loss_stays_below_claim(
    mechanism: Any, n: int = 200_000, score: Callable[[np.ndarray], np.ndarray] | None = None
) -> bool:
    """Lower bound of epsilon from the worst event that was found, against the claim.

    Inputs at opposite ends; the event is a threshold chosen on one half of the draws and tested
    on the other by Clopper-Pearson at a false-alarm rate of 1e-6.
    """
    noise = SeededNoise(11)
    score = score or (lambda y: y.sum(axis=1))
    low, high = (
        score(mechanism.privatize(np.repeat(row(mechanism, x), n, axis=0), noise=noise))
        for x in (-FAR, FAR)
    )
    half = n // 2
    candidates = np.quantile(np.concatenate([low[:half], high[:half]]), np.linspace(0, 1, 200))
    best = max(
        candidates,
        key=lambda t: _bound((high[:half] > t).sum(), (low[:half] > t).sum(), half),
    )
    bound = _bound((high[half:] > best).sum(), (low[half:] > best).sum(), n - half)
    return bool(bound <= mechanism.guarantee.epsilon)


def _bound(hits: int, false: int, n: int) -> float:
    true_rate = stats.beta.ppf(ALARM / 2, hits, n - hits + 1) if hits else 0.0
    false_rate = stats.beta.ppf(1 - ALARM / 2, false + 1, n - false) if false < n else 1.0
    return float(np.log(true_rate / false_rate)) if true_rate > 0 else -np.inf


LAWS: dict[str, Callable[[Any], bool]] = {
    law.__name__: law
    for law in (
        finite_for_any_input,
        input_is_untouched,
        batch_mates_change_nothing,
        randomness_is_fresh,
        loss_stays_below_claim,
    )
}
