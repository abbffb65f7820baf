"""The ledger: what was spent on whom, reserved before the first random word is drawn.

It is a list of events that only grows: a release was reserved, an output was written, the cap
was set. A reservation is never refunded: if a run dies between reserving and writing, the next
run finishes that same reservation, so that one output was paid for and one output exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Column, Connection, and_, insert, select

from latentdp.errors import BudgetExceeded
from latentdp.privacy.rounding import IN_FULL, printed
from latentdp.privacy.units import allowance, micro, pico
from latentdp.vault.balances import Balances, Spent
from latentdp.vault.database import address, begin, connect, file_of, memory, opening, using
from latentdp.vault.hash_chain import START, ChainLink, HashChain, Head, altered
from latentdp.vault.ledger_schema import (
    CAP,
    EVENTS,
    NOTHING,
    RESERVE,
    WRITTEN,
    LedgerEntry,
    entries,
    is_prepared,
    prepare,
)

__all__ = ["NOTHING", "LedgerEntry", "Ledger", "Spent", "allowance", "micro", "pico"]

PART = 500  # values in one query


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
        self._head = Head(head, read_only=read_only)
        self._balances, self._known = Balances(), START
        with opening():
            database = None if url is None else address(url)
            if database is not None and read_only and not _recorded(database):
                database = None
            self._engine = memory() if database is None else connect(database, read_only=read_only)
            if database is not None and read_only:
                return
            try:
                with begin(self._engine, "") as connection:
                    prepare(connection)
            except BaseException:
                self.close()
                raise

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
        return {subject: spent[subject] for subject in set(subjects) if subject in spent}

    def cap(self) -> int | None:
        """Most micro-epsilons per patient that the vault allows; None if it has no cap."""
        self._catch_up()
        return self._balances.cap

    def set_cap(self, micro_epsilon: int) -> None:
        """From now on no reservation takes a patient beyond this; what was spent stays spent."""
        entry = LedgerEntry(key="", subject="", micro_epsilon=micro_epsilon, output="", folder="")
        with self._writing() as add:
            add(CAP, [entry])

    def check(self, entries: Sequence[LedgerEntry], limit: int | None = None) -> None:
        """Raises `BudgetExceeded` if `reserve` would."""
        self._catch_up()
        self._check(entries, limit)

    def reserve(self, entries: Sequence[LedgerEntry], limit: int | None = None) -> None:
        """Records ``entries`` as spent, all or none, durably.

        Args:
            entries: What is about to be released.
            limit: Most micro-epsilons that a subject may have spent afterwards; the vault's cap
                holds too.

        Raises:
            BudgetExceeded: A subject would go over; nothing was recorded.
            InputError: The ledger was tampered with, and is not added to.
            Aborted: The database failed. What was recorded, if anything, the next run finishes.
        """
        if not entries:
            return
        with self._writing() as add:
            self._check(entries, limit)
            add(RESERVE, entries)

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
            self._balances = Balances()
            self._follow(connection, known)
        return self._balances.last.seq

    @contextmanager
    def _writing(self) -> Iterator[Callable[[str, Iterable[LedgerEntry]], None]]:
        """A transaction, and what adds rows in it; it begins with the balances of all others."""
        added: list[dict[str, Any]] = []
        with self._head.held() as known:
            with using(), begin(self._engine, self._vault) as connection:
                self._follow(connection, known)
                yield lambda kind, entries: added.extend(self._append(connection, kind, entries))
            for row in added:
                self._balances.add(row)
            self._head.advance(self._balances.last)

    def _append(
        self, connection: Connection, kind: str, entries: Iterable[LedgerEntry]
    ) -> list[dict[str, Any]]:
        rows, last = [], self._balances.last
        for entry in entries:
            row = {"kind": kind, **vars(entry)}
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
        balances, self._balances = self._balances, Balances()
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

    def _check(self, entries: Sequence[LedgerEntry], limit: int | None) -> None:
        cap, source = self._balances.cap, "their budget"
        if cap is not None and (limit is None or cap < limit):
            limit, source = cap, "the vault's cap"
        if limit is None:
            return
        asked: dict[str, int] = {}
        for e in entries:
            asked[e.subject] = asked.get(e.subject, 0) + e.micro_epsilon
        over = sum(
            self._balances.of(subject).micro_epsilon + more > limit
            for subject, more in asked.items()
        )
        if over:
            raise BudgetExceeded(
                f"{over} of {len(asked)} patients would go over {source} of "
                f"epsilon {printed(limit / 1e6, IN_FULL)}; what would go over was not released or "
                "charged"
            )

    def _entries(self, column: Column[str], values: Iterable[str]) -> Iterator[LedgerEntry]:
        """Entries as they are now, in the order in which they were made."""
        before = EVENTS.alias()
        joined = and_(before.c.vault == EVENTS.c.vault, before.c.seq == EVENTS.c.seq - 1)
        query = (
            select(EVENTS, before.c.chain.label("before"))
            .outerjoin(before, joined)
            .where(EVENTS.c.vault == self._vault)
            .order_by(EVENTS.c.seq)
        )
        with using(), self._engine.connect() as connection:
            for part in _parts(values):
                rows = connection.execute(query.where(column.in_(part))).all()
                for row in rows:
                    if not self._chain.holds(row._asdict(), row.before or ""):
                        raise altered(row.seq)
                yield from entries(rows)


def _recorded(url: URL) -> bool:
    """Whether a database holds the table of ledgers."""
    file = file_of(url)
    if file is not None and file.parent.is_dir() and not file.exists():
        return False
    engine = connect(url, read_only=True)
    try:
        with engine.connect() as connection:
            return is_prepared(connection)
    finally:
        engine.dispose()


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    remaining = list(values)
    for start in range(0, len(remaining), PART):
        yield remaining[start : start + PART]
