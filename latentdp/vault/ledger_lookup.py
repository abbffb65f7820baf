"""Entries of a ledger that are looked up in its database: every row is checked on its own.

A row that is found by one of its columns is not followed from the first one of the chain: it is
the row that was recorded if its digest is the one that follows from the row before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Column, Connection, and_, select

from latentdp.vault.hash_chain import HashChain, altered
from latentdp.vault.ledger_schema import EVENTS, LedgerEntry, entries

__all__ = ["look_up"]

VALUES_IN_ONE_QUERY = 500


def look_up(
    connection: Connection,
    vault: str,
    chain: HashChain,
    column: Column[str],
    values: Iterable[str],
) -> Iterator[LedgerEntry]:
    """Entries as they are now, in the order in which they were made.

    Args:
        connection: To the database, while it is read.
        vault: The vault's tag; rows of others are not looked at.
        chain: Of the vault.
        column: Of `EVENTS`, which has an index of it.
        values: Of the column; what no row has is left out.

    Raises:
        InputError: A row was altered, or the one before it.
    """
    before = EVENTS.alias()
    joined = and_(before.c.vault == EVENTS.c.vault, before.c.seq == EVENTS.c.seq - 1)
    query = (
        select(EVENTS, before.c.chain.label("before"))
        .outerjoin(before, joined)
        .where(EVENTS.c.vault == vault)
        .order_by(EVENTS.c.seq)
    )
    for part in _parts(values):
        rows = connection.execute(query.where(column.in_(part))).all()
        for row in rows:
            if not chain.holds(row._asdict(), row.before or ""):
                raise altered(row.seq)
        yield from entries(rows)


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    remaining = list(values)
    for start in range(0, len(remaining), VALUES_IN_ONE_QUERY):
        yield remaining[start : start + VALUES_IN_ONE_QUERY]
