"""The ledger: what was spent on whom, reserved before the first random word is drawn.

It is a list of events that only grows: a release was reserved, an output was written, the cap
was set. A reservation is never refunded: if a run dies between reserving and writing, the next
run finishes that same reservation, so that one output was paid for and one output exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Column, Connection, Select, func, insert, select

from latentdp.amounts import allowance, micro, pico
from latentdp.chain import START, Chain, Head, Link
from latentdp.database import address, begin, connect, file_of, memory, opening, told
from latentdp.errors import BudgetExceeded
from latentdp.events import (
    CAP,
    EVENTS,
    NOTHING,
    RESERVE,
    RESERVES,
    WRITTEN,
    Entry,
    entries,
    is_prepared,
    prepare,
)

__all__ = ["NOTHING", "Entry", "Ledger", "Spent", "allowance", "micro", "pico"]

PART = 500  # values in one query


@dataclass(frozen=True)
class Spent:
    """What all releases of one patient cost together (basic composition: the sums)."""

    micro_epsilon: int = 0
    pico_delta: int = 0
    releases: int = 0

    def plus(self, entry: Entry) -> Spent:
        """The same, and what an entry costs."""
        return Spent(
            self.micro_epsilon + entry.micro_epsilon,
            self.pico_delta + entry.pico_delta,
            self.releases + 1,
        )


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
        self._vault, self._chain, self._head = vault, Chain(key), Head(head)
        self._read_only = read_only
        with opening():
            there = None if url is None else address(url)
            if there is not None and read_only and not _recorded(there):
                there = None
            self._engine = memory() if there is None else connect(there, read_only=read_only)
            if there is not None and read_only:
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

    def find(self, keys: Iterable[str]) -> dict[str, list[Entry]]:
        """All entries of each key that has one, in the order in which they were made."""
        found: dict[str, list[Entry]] = {}
        for entry in self._entries(EVENTS.c.key, keys):
            found.setdefault(entry.key, []).append(entry)
        return found

    def outputs(self, names: Iterable[str]) -> dict[str, Entry]:
        """The entries whose outputs have these file names, by name."""
        return {entry.output: entry for entry in self._entries(EVENTS.c.output, names)}

    def spent(self, subjects: Iterable[str] | None = None) -> dict[str, Spent]:
        """What was spent on each subject, or on each of ``subjects`` that has any release."""
        wanted = None if subjects is None else set(subjects)
        query = self._rows(
            EVENTS.c.subject,
            func.sum(EVENTS.c.micro_epsilon),
            func.sum(EVENTS.c.pico_delta),
            func.count(),
        )
        with told(), self._engine.connect() as connection:
            return {
                subject: Spent(int(epsilon), int(delta), count)
                for subject, epsilon, delta, count in connection.execute(
                    query.where(RESERVES).group_by(EVENTS.c.subject)
                )
                if wanted is None or subject in wanted
            }

    def cap(self) -> int | None:
        """Most micro-epsilons per patient that the vault allows; None if it has no cap."""
        with told(), self._engine.connect() as connection:
            return self._cap(connection)

    def set_cap(self, micro_epsilon: int) -> None:
        """From now on no reservation takes a patient beyond this; what was spent stays spent."""
        entry = Entry(key="", subject="", micro_epsilon=micro_epsilon, output="", folder="")
        with self._writing() as connection:
            last = self._append(connection, self._last(connection), CAP, [entry])
        self._head.advance(last)

    def check(self, entries: Sequence[Entry], limit: int | None = None) -> None:
        """Raises `BudgetExceeded` if `reserve` would."""
        with told(), self._engine.connect() as connection:
            self._check(connection, entries, limit)

    def reserve(self, entries: Sequence[Entry], limit: int | None = None) -> None:
        """Records ``entries`` as spent, all or none, durably.

        Args:
            entries: What is about to be released.
            limit: Most micro-epsilons that a subject may have spent afterwards; the vault's cap
                holds too.

        Raises:
            BudgetExceeded: A subject would go over; nothing was recorded.
            Aborted: The database failed. What was recorded, if anything, the next run finishes.
        """
        if not entries:
            return
        with self._writing() as connection:
            last = self._last(connection)
            self._check(connection, entries, limit)
            last = self._append(connection, last, RESERVE, entries)
        self._head.advance(last)

    def finish(self, written: Iterable[Entry]) -> None:
        """Records digest, released label and folder of outputs that were written."""
        rows = [replace(entry, micro_epsilon=0, pico_delta=0) for entry in written]
        if not rows:
            return
        with self._writing() as connection:
            last = self._append(connection, self._last(connection), WRITTEN, rows)
        self._head.advance(last)

    def verify(self) -> int:
        """Follows the chain from the first row to the last; returns the number of rows.

        Raises:
            InputError: A row was altered, removed, inserted or moved since it was recorded.
        """
        known = self._head.read()  # before the rows: others may be adding some
        query = self._rows(EVENTS).order_by(EVENTS.c.seq).execution_options(yield_per=5_000)
        with (
            told(),
            self._engine.connect() as connection,
            connection.execute(query) as rows,  # closed even if the walk ends early
        ):
            last = self._chain.walk((row._asdict() for row in rows), known)
        if not self._read_only:
            self._head.advance(last)
        return last.seq

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with told(), begin(self._engine, self._vault) as connection:
            yield connection

    def _append(
        self, connection: Connection, last: Link, kind: str, entries: Iterable[Entry]
    ) -> Link:
        rows = []
        for entry in entries:
            row = {"kind": kind, **vars(entry)}
            last = self._chain.after(last, row)
            rows.append({"vault": self._vault, "seq": last.seq, "chain": last.chain, **row})
        connection.execute(insert(EVENTS), rows)
        return last

    def _last(self, connection: Connection) -> Link:
        row = connection.execute(
            self._rows(EVENTS.c.seq, EVENTS.c.chain).order_by(EVENTS.c.seq.desc()).limit(1)
        ).first()
        return START if row is None else Link(row.seq, row.chain)

    def _cap(self, connection: Connection) -> int | None:
        newest = (
            self._rows(EVENTS.c.micro_epsilon)
            .where(EVENTS.c.kind == CAP)
            .order_by(EVENTS.c.seq.desc())
        )
        return connection.execute(newest.limit(1)).scalar()

    def _check(self, connection: Connection, entries: Sequence[Entry], limit: int | None) -> None:
        cap, source = self._cap(connection), "their budget"
        if cap is not None and (limit is None or cap < limit):
            limit, source = cap, "the vault's cap"
        if limit is None:
            return
        asked: dict[str, int] = {}
        for e in entries:
            asked[e.subject] = asked.get(e.subject, 0) + e.micro_epsilon
        query = self._rows(EVENTS.c.subject, func.sum(EVENTS.c.micro_epsilon)).where(RESERVES)
        for part in _parts(asked):
            those = query.where(EVENTS.c.subject.in_(part)).group_by(EVENTS.c.subject)
            for subject, total in connection.execute(those):
                asked[subject] += int(total)
        over = sum(total > limit for total in asked.values())
        if over:
            raise BudgetExceeded(
                f"{over} of {len(asked)} patients would go over {source} of "
                f"epsilon {limit / 1e6:.10g}; what would go over was not released or charged"
            )

    def _rows(self, *columns: Any) -> Select[Any]:
        return select(*columns).where(EVENTS.c.vault == self._vault)

    def _entries(self, column: Column[str], values: Iterable[str]) -> Iterator[Entry]:
        """Entries as they are now, in the order in which they were made."""
        with told(), self._engine.connect() as connection:
            for part in _parts(values):
                query = self._rows(EVENTS).where(column.in_(part)).order_by(EVENTS.c.seq)
                yield from entries(connection.execute(query))


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
    wanted = list(values)
    for start in range(0, len(wanted), PART):
        yield wanted[start : start + PART]
