"""What the rows of a ledger add up to: it is kept in memory, where only the process can change it.

A budget is checked on these sums of rows that were followed along the chain, and not on what a
database says at that moment. A million patients take about 0.3 GB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from latentdp.vault.hash_chain import START, ChainLink
from latentdp.vault.ledger_schema import CAP, RESERVE, WRITTEN

__all__ = ["Spent", "Balances"]


class Spent(NamedTuple):
    """What all releases of one patient cost together (basic composition: the sums).

    Attributes:
        micro_epsilon: Sum of their epsilons in units of 1e-6 nats, each rounded up; at least 0.
        pico_delta: Sum of their deltas in units of 1e-12, each rounded up; at least 0.
        releases: Number of them, reserved ones that were never written included.
    """

    micro_epsilon: int = 0
    pico_delta: int = 0
    releases: int = 0

    def plus(self, micro_epsilon: int, pico_delta: int) -> Spent:
        """The sums with one more release of this cost."""
        return Spent(
            self.micro_epsilon + micro_epsilon, self.pico_delta + pico_delta, self.releases + 1
        )


class Balances:
    """Sums over the rows of a ledger, in their order.

    Attributes:
        last: Link of the row that was added last; `START` before the first.
        spent: What each subject has spent, by the keyed pseudonym of the ledger.
        cap: Most that a subject may spend in all, in units of 1e-6 nats, as it was set last; None
            for no cap.
        owed: File names of the outputs that are reserved and not yet written.
    """

    def __init__(self) -> None:
        self.last = START
        self.spent: dict[str, Spent] = {}
        self.cap: int | None = None
        self.owed: set[str] = set()

    def of(self, subject: str) -> Spent:
        """What was spent on a subject."""
        return self.spent.get(subject, Spent())

    def add(self, row: Mapping[str, Any]) -> None:
        """Counts the next row, with ``seq`` and ``chain``."""
        self.last = ChainLink(row["seq"], row["chain"])
        if row["kind"] == RESERVE:
            before = self.of(row["subject"])
            self.spent[row["subject"]] = before.plus(row["micro_epsilon"], row["pico_delta"])
            self.owed.add(row["output"])
        elif row["kind"] == WRITTEN:
            self.owed.discard(row["output"])
        elif row["kind"] == CAP:
            self.cap = row["micro_epsilon"]
