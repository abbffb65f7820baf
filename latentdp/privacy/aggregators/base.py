r"""What an aggregator of votes is: integer counts in, a noisy winner out.

To add one, write a module here with a class that extends `Aggregator`, and name it ``aggregator``.
Its docstring proves what one election costs; the contract tests hold it to that.

Sensitivity. There is a fixed number of voters, each of whom casts one vote in an election. A
patient stands behind one voter at most (`latentdp.synthesis.voting.voters` proves it), so another
patient in their place, or nobody, changes at most one vote: one count falls by 1 and another one
rises by 1. Such counts are *neighbours*: |c - c'|_1 <= 2 and |c - c'|_inf <= 1. Where m voters may
change at once, they are joined by a chain of m neighbours.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from latentdp.errors import InputError
from latentdp.privacy.noise import Noise

__all__ = ["Aggregator", "checked_counts"]

MOST_VOTES = 10_000  # of an election: weights are integers of some 32 bits a vote


class Aggregator(ABC):
    """One way to answer who has most votes.

    Attributes:
        name: As an option has it.
        title: What it does, in a line.
        source: Where it comes from.
        parameter: The integer from which all that it costs follows, for a card.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    parameter: int

    @classmethod
    @abstractmethod
    def of(cls, parameter: int) -> Self:
        """The one that a card states.

        Raises:
            InputError: A parameter that is none.
        """

    @classmethod
    @abstractmethod
    def calibrate(cls, epsilon: float) -> Self:
        """The one of least noise that costs at most ``epsilon`` an election, in nats, above 0.

        Raises:
            InputError: So small a budget would need more noise than there is.
        """

    @property
    @abstractmethod
    def epsilon(self) -> float:
        """Pure epsilon of one election between neighbours, in nats, never understated."""

    @property
    @abstractmethod
    def rho(self) -> float:
        """One election is rho-zCDP between neighbours (Bun and Steinke 2016), not understated."""

    @abstractmethod
    def winners(self, counts: NDArray[np.int64], noise: Noise) -> NDArray[np.int64]:
        """A noisy winner ``(q,)`` of each election.

        Args:
            counts: ``(q, k)`` votes for each of k candidates, at least 0; **private**.
            noise: Fresh bits for each election.
        """

    @abstractmethod
    def wrong(self, lead: int) -> float:
        """Chance that the second of two candidates wins, who is ``lead`` votes behind."""

    def probabilities(self, counts: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """Chance ``(q, k)`` of each candidate, in floats: **private**, for the vault's report.

        None where nobody has worked it out.
        """
        return None

    def sure_lead(self, wrong: float = 0.05) -> int:
        """The smallest lead over one rival at which the answer is wrong so rarely at most."""
        low, high = 0, 1
        while self.wrong(high) > wrong:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            if self.wrong(middle) > wrong:
                low = middle
            else:
                high = middle
        return high


def checked_counts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts of elections ``(q, k)``.

    Raises:
        InputError: They are no counts of votes.
    """
    right = counts.ndim == 2 and counts.shape[1] >= 2 and np.issubdtype(counts.dtype, np.integer)
    if not right or (counts.size and not 0 <= counts.min() <= counts.max() <= MOST_VOTES):
        raise InputError(
            f"expected votes for two candidates or more, whole numbers from 0 to {MOST_VOTES:,}"
        )
    return counts
