r"""Lower bounds of mu from right guesses about canaries.

A canary is one of two neighbouring inputs by a fair coin. Under mu-GDP no guess of the coin is
right with a probability above Phi(mu / 2) (Dong, Roth and Su 2019: a test's errors add up to at
least 2 Phi(-mu / 2)), so a share of right guesses is a lower bound of mu. It is tight for Gaussian
noise, of which an epsilon that is read off the same guesses would show a fraction.

Many canaries share a run where each has a direction of its own. `guessed_mu` counts all guesses as
independent (Clopper and Pearson 1934). So they are, if noise is Gaussian, independent from entry
to entry and added to canaries at right angles: a bound above the claim refutes the release as it
is described. `guessed_mu_by_run` assumes nothing of the noise, only that runs are independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import betaincinv, ndtri

from latentdp.errors import InputError

__all__ = ["guessed_mu", "guessed_mu_by_run"]


def guessed_mu(right: int, guesses: int, alarm: float) -> float:
    """Lower bound of mu from independent guesses; at least 0.

        >>> round(guessed_mu(620, 1_000, 0.05), 2)
        0.54

    Args:
        right: Number of right guesses.
        guesses: Number of guesses, fixed before the run.
        alarm: Chance of a bound that is too high, in (0, 1).

    Raises:
        InputError: Numbers that there cannot be.
    """
    if not (0 <= right <= guesses and guesses >= 1 and 0 < alarm < 1):
        raise InputError("expected right guesses among at least one guess, and an alarm rate")
    share = float(betaincinv(right, guesses - right + 1, alarm)) if right else 0.0
    return _mu(share)


def guessed_mu_by_run(shares: Sequence[float], alarm: float) -> float:
    """Lower bound of mu from the shares of right guesses of independent runs; at least 0.

    Where the expected share is at most q, the product of shares over q has an expectation of at
    most 1, and exceeds 1 / alarm with a probability of at most the alarm (Markov).

    Args:
        shares: In [0, 1], one of each run.
        alarm: Chance of a bound that is too high, in (0, 1).
    """
    if min(shares) <= 0:
        return 0.0
    mean = math.fsum(math.log(share) for share in shares) / len(shares)
    return _mu(math.exp(mean + math.log(alarm) / len(shares)))


def _mu(share: float) -> float:
    return max(0.0, 2 * float(ndtri(share)))
