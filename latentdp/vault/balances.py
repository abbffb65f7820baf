"""What the rows of a ledger add up to: it is kept in memory, where only the process can change it.

A budget is checked on these sums of rows that were followed along the chain, and not on what a
database says at that moment. A million patients take about 0.3 GB.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from latentdp.vault.hash_chain import START, ChainLink
from latentdp.vault.ledger_schema import CAP, RESERVE, SAME, WRITTEN

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

    def joined(self, other: Spent) -> Spent:
        """The sums of two pseudonyms of one patient."""
        return Spent(*map(int.__add__, self, other))


class Balances:
    """Sums over the rows of a ledger, in their order.

    Args:
        joined: Pseudonyms that others stand for, which the rows need not tell.

    Attributes:
        last: Link of the row that was added last; `START` before the first.
        spent: What each subject has spent, by the keyed pseudonym of the ledger.
        cap: Most that a subject may spend in all, in units of 1e-6 nats, as it was set last; None
            for no cap.
        owed: File names of the outputs that are reserved and not yet written.
    """

    def __init__(self, joined: Mapping[str, str]) -> None:
        self._joined = dict(joined)
        self.last = START
        self.spent: dict[str, Spent] = {}
        self.cap: int | None = None
        self.owed: set[str] = set()

    def of(self, subject: str) -> Spent:
        """What was spent on a subject, under any of its pseudonyms."""
        return self.spent.get(self.subject(subject), Spent())

    def subject(self, pseudonym: str) -> str:
        """The pseudonym under which a subject's sums are kept."""
        while pseudonym in self._joined:
            pseudonym = self._joined[pseudonym]
        return pseudonym

    def join(self, old: str, new: str) -> bool:
        """Has one pseudonym stand for another from now on; returns whether that is new."""
        old, new = self.subject(old), self.subject(new)
        if old == new:
            return False
        self._joined[old] = new
        if old in self.spent:
            self.spent[new] = self.of(new).joined(self.spent.pop(old))
        return True

    def add(self, row: Mapping[str, Any]) -> None:
        """Counts the next row, with ``seq`` and ``chain``."""
        self.last = ChainLink(row["seq"], row["chain"])
        if row["kind"] == RESERVE:
            subject = self.subject(row["subject"])
            self.spent[subject] = self.of(subject).plus(row["micro_epsilon"], row["pico_delta"])
            self.owed.add(row["output"])
        elif row["kind"] == WRITTEN:
            self.owed.discard(row["output"])
        elif row["kind"] == SAME:
            self.join(row["key"], row["subject"])
        elif row["kind"] == CAP:
            self.cap = row["micro_epsilon"]
