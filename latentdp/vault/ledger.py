"""The ledger: what was spent on whom, reserved before the first random word is drawn.

It is a list of events that only grows: a release was reserved, an output was written, two
pseudonyms were found to be one subject, something was released exactly, a cap was set. A
reservation is never refunded: if a run dies between reserving and writing, the next run finishes
that same reservation, so that one output was paid for and one output exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Column, Connection, insert, select

from latentdp.privacy.units import allowance, micro, pico
from latentdp.vault.balances import Balances
from latentdp.vault.database import begin, using
from latentdp.vault.hash_chain import START, ChainHead, ChainLink, HashChain
from latentdp.vault.ledger_database import open_database
from latentdp.vault.ledger_lookup import look_up
from latentdp.vault.ledger_schema import (
    CAP,
    CAP_DELTA,
    EVENTS,
    EXPOSED,
    NOTHING,
    RESERVE,
    SAME,
    WRITTEN,
    LedgerEntry,
    note,
)
from latentdp.vault.spending import UNLIMITED, Limit, Spent, check

__all__ = ["NOTHING", "LedgerEntry", "Ledger", "Limit", "Spent", "allowance", "micro", "pico"]


class Ledger:
    """A vault's ledger in a database, which it may share with those of other vaults.

    Args:
        url: For example ``sqlite:////path/ledger.sqlite`` or ``postgresql://user@host/name``;
            None for an empty one in memory.
        vault: The vault's tag, at most 16 characters.
        key: Of the chain; it must not leave the vault.
        head: File in the vault for the last row that is known to be recorded.
        read_only: Write nothing; a database that is still to be made counts as empty.

    Raises:
        InputError: The database cannot be opened, or holds the ledger of version 0.1.0.
    """

    def __init__(
        self,
        url: str | URL | None,
        *,
        vault: str,
        key: bytes,
        head: Path,
        read_only: bool = False,
    ) -> None:
        self._vault, self._chain = vault, HashChain(key)
        self._head = ChainHead(head, read_only=read_only)
        self._unrecorded: dict[str, str] = {}  # joined pseudonyms
        self._balances, self._known = Balances({}), START
        self._engine = open_database(url, read_only=read_only)

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def find(self, keys: Iterable[str]) -> dict[str, list[LedgerEntry]]:
        """All entries of each key that has one, in the order in which they were made."""
        by_key: dict[str, list[LedgerEntry]] = {}
        for entry in self._entries(EVENTS.c.key, keys):
            by_key.setdefault(entry.key, []).append(entry)
        return by_key

    def outputs(self, names: Iterable[str]) -> dict[str, LedgerEntry]:
        """The entries whose outputs have these file names, by name."""
        return {entry.output: entry for entry in self._entries(EVENTS.c.output, names)}

    def spent(self, subjects: Iterable[str] | None = None) -> dict[str, Spent]:
        """What was spent on each subject, or on each of ``subjects`` that has any release."""
        self._catch_up()
        spent = self._balances.spent
        if subjects is None:
            return dict(spent)
        kept_as = {subject: self._balances.subject(subject) for subject in subjects}
        return {subject: spent[kept] for subject, kept in kept_as.items() if kept in spent}

    def subject(self, pseudonym: str) -> str:
        """The pseudonym under which a subject's sums are kept, of all that were joined."""
        return self._balances.subject(pseudonym)

    def join(self, old: str, new: str, *, uncharged: bool = False) -> None:
        """Counts what was spent on one pseudonym for another one, of the same subject.

        The next reservation records it.

        Args:
            old: Its account is closed.
            new: Its account goes on.
            uncharged: Whether to join what was never charged, too: it may be charged later.
        """
        account = self._balances.subject(old)
        if (uncharged or old in self._balances.spent) and self._balances.join(old, new):
            self._unrecorded[account] = new

    def cap(self) -> Limit:
        """Most per patient that the vault allows."""
        self._catch_up()
        return self._balances.cap

    def set_cap(self, micro_epsilon: int | None = None, pico_delta: int | None = None) -> None:
        """From now on no reservation takes a patient beyond this; what was spent stays spent.

        Args:
            micro_epsilon: None leaves it as it is.
            pico_delta: Largest delta of a patient, set without the other; None leaves it.
        """
        with self._writing() as add:
            if micro_epsilon is not None:
                add(CAP, [note(micro_epsilon=micro_epsilon)])
            if pico_delta is not None:
                add(CAP_DELTA, [note(pico_delta=pico_delta)])

    def check(
        self,
        entries: Sequence[LedgerEntry],
        limit: Limit = UNLIMITED,
        *,
        unprotected: bool = False,
    ) -> None:
        """Raises `BudgetExceeded` if `reserve` would."""
        self._catch_up()
        after = self._balances.after(entries, unprotected=unprotected)
        check(after, limit, self._balances.cap)

    def expose(self, entries: Iterable[LedgerEntry]) -> None:
        """Records durably that something is released exactly of what was reserved earlier.

        Epsilon of its subjects is infinity from now on.
        """
        self._catch_up()
        if self._balances.exposures(entries := list(entries)):
            with self._writing() as add:
                add(EXPOSED, self._balances.exposures(entries))

    def reserve(
        self,
        entries: Sequence[LedgerEntry],
        limit: Limit = UNLIMITED,
        *,
        unprotected: bool = False,
    ) -> None:
        """Records ``entries`` as spent, all or none, durably.

        Args:
            entries: What is about to be released.
            limit: Most that a subject may have spent afterwards; the vault's cap holds too.
            unprotected: Whether something of each of them is released exactly.

        Raises:
            BudgetExceeded: A subject would go over; nothing was recorded.
            InputError: The ledger was tampered with, and is not added to.
            Aborted: The database failed. What was recorded, if anything, the next run finishes.
        """
        if not entries:
            return
        with self._writing() as add:
            after = self._balances.after(entries, unprotected=unprotected)
            check(after, limit, self._balances.cap)
            add(SAME, [note(key=old, subject=new) for old, new in self._unrecorded.items()])
            add(RESERVE, entries)
            if unprotected:
                add(EXPOSED, self._balances.exposures(entries))
        self._unrecorded.clear()

    def finish(self, written: Iterable[LedgerEntry]) -> set[str]:
        """Records digest, released label and folder of outputs that were written.

        Returns:
            The names of those that another process has recorded first, from the same
            reservation. It paid for one output, so that of this process must not be released.
        """
        entries = list(written)
        with self._writing() as add:
            late = {entry.output for entry in entries} - self._balances.owed
            add(WRITTEN, [entry for entry in entries if entry.output not in late])
        return late

    def move(self, entry: LedgerEntry) -> None:
        """Records that a written output lies in another folder now."""
        with self._writing() as add:
            add(WRITTEN, [entry])

    def verify(self) -> int:
        """Follows the chain from the first row to the last; returns the number of rows.

        Raises:
            InputError: A row was altered, removed, inserted or moved since it was recorded.
        """
        with self._head.held() as known, using(), self._engine.connect() as connection:
            self._balances = Balances(self._unrecorded)
            self._follow(connection, known)
        return self._balances.last.seq

    @contextmanager
    def _writing(self) -> Iterator[Callable[[str, Iterable[LedgerEntry]], None]]:
        """A transaction, and what adds rows in it; it begins with the balances of all others."""
        added: list[dict[str, Any]] = []
        with self._head.held() as known:
            with using(), begin(self._engine, self._vault) as connection:
                self._follow(connection, known)
                yield lambda kind, entries: added.extend(
                    self._append(connection, kind, entries, _link(added, self._balances.last))
                )
            for row in added:
                self._balances.add(row)
            self._head.advance(self._balances.last)

    def _append(
        self, connection: Connection, kind: str, entries: Iterable[LedgerEntry], last: ChainLink
    ) -> list[dict[str, Any]]:
        rows = []
        for entry in entries:
            row = {"kind": kind, **asdict(entry)}
            if kind == WRITTEN:  # the reservation has paid
                row |= {"micro_epsilon": 0, "pico_delta": 0}
            last = self._chain.after(last, row)
            rows.append({"vault": self._vault, "seq": last.seq, "chain": last.chain, **row})
        if rows:
            connection.execute(insert(EVENTS), rows)
        return rows

    def _catch_up(self) -> None:
        """Makes the balances those of all rows."""
        with self._head.held() as known, using(), self._engine.connect() as connection:
            self._follow(connection, known)

    def _follow(self, connection: Connection, known: ChainLink) -> None:
        """Checks and counts the rows that were added since the last time."""
        # If it fails, all rows are checked again.
        balances, self._balances = self._balances, Balances(self._unrecorded)
        known = max(known, self._known, key=lambda link: link.seq)
        query = (
            select(EVENTS)
            .where(EVENTS.c.vault == self._vault, EVENTS.c.seq >= balances.last.seq)
            .order_by(EVENTS.c.seq)
            .execution_options(yield_per=5_000)
        )
        with connection.execute(query) as rows:  # closed even if the walk ends early
            recorded = (row._asdict() for row in rows)
            for row in self._chain.follow(recorded, last=balances.last, known=known):
                balances.add(row)
        self._balances, self._known = balances, balances.last
        self._head.advance(balances.last)

    def _entries(self, column: Column[str], values: Iterable[str]) -> Iterator[LedgerEntry]:
        """Entries as they are now, in the order in which they were made."""
        with using(), self._engine.connect() as connection:
            for entry in look_up(connection, self._vault, self._chain, column, values):
                yield replace(entry, subject=self._balances.subject(entry.subject))


def _link(added: Sequence[Mapping[str, Any]], before: ChainLink) -> ChainLink:
    """Of the row that was added last."""
    return ChainLink(added[-1]["seq"], added[-1]["chain"]) if added else before
