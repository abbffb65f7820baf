"""What a patient has spent, what may be spent, and when one goes over the other.

Epsilons and deltas of a patient's releases add up (basic composition). Where something was
released exactly there is no such sum: epsilon is infinity, and stays it for that patient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from latentdp.errors import BudgetExceeded
from latentdp.privacy.rounding import IN_FULL, printed

__all__ = ["CERTAIN", "UNLIMITED", "Limit", "Spent", "check"]

CERTAIN = 10**12  # units of 1e-12: with a delta of 1 nothing is guaranteed, whatever epsilon is


class Spent(NamedTuple):
    """What all releases of one patient cost together.

    Attributes:
        micro_epsilon: Sum of the epsilons of what was noised, in units of 1e-6 nats, each rounded
            up; at least 0.
        pico_delta: Sum of their deltas in units of 1e-12, each rounded up; at least 0.
        releases: Number of them, reserved ones that were never written included.
        unprotected: Whether something of one of them was released exactly.
    """

    micro_epsilon: int = 0
    pico_delta: int = 0
    releases: int = 0
    unprotected: bool = False

    @property
    def epsilon(self) -> float:
        """Of all releases, in nats; infinity where something was released exactly."""
        return math.inf if self.unprotected else self.noised_epsilon

    @property
    def noised_epsilon(self) -> float:
        """Of what was noised alone, in nats."""
        return self.micro_epsilon / 1e6

    @property
    def delta(self) -> float:
        """Of all releases."""
        return self.pico_delta / 1e12

    def plus(self, micro_epsilon: int, pico_delta: int) -> Spent:
        """With one more release of this cost."""
        return self.joined(Spent(micro_epsilon, pico_delta, 1))

    def joined(self, other: Spent) -> Spent:
        """Both together, as of two pseudonyms of one patient."""
        return Spent(
            self.micro_epsilon + other.micro_epsilon,
            self.pico_delta + other.pico_delta,
            self.releases + other.releases,
            self.unprotected or other.unprotected,
        )


class Limit(NamedTuple):
    """Most that each patient may have spent.

    Attributes:
        micro_epsilon: In units of 1e-6 nats; None for no bound.
        pico_delta: In units of 1e-12; None for no bound but 1, which nobody may reach.
        releases: Number of them; None for no bound.
        accept_unprotected: Bound what is noised alone, and let pass what is released exactly.
    """

    micro_epsilon: int | None = None
    pico_delta: int | None = None
    accept_unprotected: bool = False
    releases: int | None = None

    @property
    def bounds(self) -> bool:
        """Whether it bounds what infinity is over: epsilon or delta."""
        return self.micro_epsilon is not None or self.pico_delta is not None

    def allows(self, spent: Spent) -> bool:
        """Whether a patient may have spent this."""
        if self.bounds and spent.unprotected and not self.accept_unprotected:
            return False
        pairs = (
            (spent.micro_epsilon, self.micro_epsilon),
            (spent.pico_delta, self.pico_delta),
            (spent.releases, self.releases),
        )
        return all(most is None or is_ <= most for is_, most in pairs)

    def within(self, other: Limit) -> Limit:
        """Both at once: of each bound the lower one."""

        def lower(one: int | None, two: int | None) -> int | None:
            given = [bound for bound in (one, two) if bound is not None]
            return min(given, default=None)

        return Limit(
            micro_epsilon=lower(self.micro_epsilon, other.micro_epsilon),
            pico_delta=lower(self.pico_delta, other.pico_delta),
            releases=lower(self.releases, other.releases),
            accept_unprotected=self.accept_unprotected and other.accept_unprotected,
        )


UNLIMITED = Limit()


def check(after: Sequence[Spent], budget: Limit, cap: Limit) -> None:
    """Refuses a release after which somebody would have spent too much.

    Args:
        after: What each patient in it would have spent.
        budget: Of the run.
        cap: Of the vault.

    Raises:
        BudgetExceeded: Somebody would.
    """

    def refuse(over: Callable[[Spent], bool], what: str) -> None:
        count = sum(map(over, after))
        if count:
            raise BudgetExceeded(
                f"{count} of {len(after)} patients would {what}; what would go over was not "
                "released or charged"
            )

    if (budget.bounds or cap.bounds) and not budget.accept_unprotected:
        refuse(
            lambda spent: spent.unprotected,
            "have an infinite epsilon, over any budget or cap, since something of theirs is or "
            "was released exactly (--accept-unprotected bounds the noised part alone)",
        )
    epsilon, whose = _lower(budget.micro_epsilon, cap.micro_epsilon)
    if epsilon is not None:
        refuse(
            lambda spent: spent.micro_epsilon > epsilon,
            f"go over {whose} of epsilon {printed(epsilon / 1e6, IN_FULL)}",
        )
    delta, whose = _lower(budget.pico_delta, cap.pico_delta)
    if delta is not None:
        refuse(
            lambda spent: spent.pico_delta > delta,
            f"go over {whose} of delta {printed(delta / 1e12, IN_FULL)}",
        )
    most = budget.releases
    if most is not None:
        refuse(lambda spent: spent.releases > most, f"have more than {most} images released")
    refuse(
        lambda spent: spent.pico_delta >= CERTAIN,
        "reach a delta of 1, with which nothing is guaranteed",
    )


def _lower(budget: int | None, cap: int | None) -> tuple[int | None, str]:
    """The lower of two bounds, and whose it is."""
    if cap is not None and (budget is None or cap < budget):
        return cap, "the vault's cap"
    return budget, "their budget"
