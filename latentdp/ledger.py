"""The ledger: what was spent on whom, reserved before the first random word is drawn.

Amounts are integer micro-epsilons, rounded up. A reservation is never refunded: if a run dies
between reserving and writing, the next run finishes that same reservation, so that one output
was paid for and one output exists.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from latentdp.errors import Aborted, BudgetExceeded, InputError

__all__ = ["NOTHING", "Entry", "Ledger", "micro"]

NOTHING = "nothing"  # instead of a digest: the draw gave no image, and there is no second one

_METADATA = MetaData()
_ENTRIES = Table(
    "entries",
    _METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("key", String(64), nullable=False, index=True),
    Column("subject", String(64), nullable=False, index=True),
    Column("micro_epsilon", BigInteger, nullable=False),
    Column("output", String(64), nullable=False, unique=True),
    Column("folder", String, nullable=False),
    Column("sha256", String(64), nullable=False, server_default=""),
    Column("label", Integer, nullable=False, server_default="-1"),
)


def micro(epsilon: float) -> int:
    """Nats to integer micro-epsilons, rounded up.

    Raises:
        InputError: Not finite or negative.
    """
    if not math.isfinite(epsilon) or epsilon < 0:
        raise InputError(f"expected a finite epsilon of at least 0 to charge, got {epsilon}")
    return math.ceil(epsilon * 1_000_000)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One release of one input under one recipe.

    Attributes:
        key: Keyed digest of input and recipe.
        subject: Keyed pseudonym of the patient.
        micro_epsilon: What it costs.
        output: File name of the output inside ``folder``.
        folder: The release folder it was written to, or found in after a move.
        sha256: Digest of the output file; empty until it is written.
        label: Released class index, -1 for none.
    """

    key: str
    subject: str
    micro_epsilon: int
    output: str
    folder: str
    sha256: str = ""
    label: int = -1

    def written(self, sha256: str, label: int, folder: str) -> Entry:
        """The same, once its output lies in ``folder`` with this digest and released label."""
        return replace(self, sha256=sha256, label=label, folder=folder)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise Aborted(
            "the ledger could not be read or written; nothing that is not recorded was released"
        ) from error


class Ledger:
    """A ledger in a database.

    Args:
        url: SQLAlchemy URL, for example ``sqlite:////path/ledger.sqlite``.

    Raises:
        InputError: The database cannot be opened.
    """

    def __init__(self, url: str) -> None:
        try:
            self._engine = create_engine(url)
            if self._engine.dialect.name == "sqlite":
                event.listen(self._engine, "connect", _durable)
                event.listen(self._engine, "begin", _exclusive)
            _METADATA.create_all(self._engine)
        except SQLAlchemyError as error:
            raise InputError("the ledger's database cannot be opened") from error

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def find(self, keys: Iterable[str]) -> dict[str, list[Entry]]:
        """All entries of each key that has one, in the order in which they were made."""
        found: dict[str, list[Entry]] = {}
        for entry in self._select(_ENTRIES.c.key, keys):
            found.setdefault(entry.key, []).append(entry)
        return found

    def outputs(self, names: Iterable[str]) -> dict[str, Entry]:
        """The entries whose outputs have these file names, by name."""
        return {entry.output: entry for entry in self._select(_ENTRIES.c.output, names)}

    def _select(self, column: Column[str], values: Iterable[str]) -> Iterator[Entry]:
        """Entries in the order in which they were made."""
        wanted = list(values)
        with _told(), self._engine.connect() as connection:
            for start in range(0, len(wanted), 500):
                query = select(_ENTRIES).where(column.in_(wanted[start : start + 500]))
                yield from map(_entry, connection.execute(query.order_by(_ENTRIES.c.id)))

    def reserve(self, entries: Sequence[Entry], limit: int | None = None) -> None:
        """Records ``entries`` as spent, all or none, durably.

        Args:
            entries: What is about to be released.
            limit: Most micro-epsilons that a subject may have spent afterwards.

        Raises:
            BudgetExceeded: A subject would go over the limit; nothing was recorded.
        """
        if not entries:
            return
        with _told(), self._engine.begin() as connection:
            if limit is not None:
                self._check(connection, entries, limit)
            connection.execute(
                insert(_ENTRIES),
                [
                    {
                        "key": e.key,
                        "subject": e.subject,
                        "micro_epsilon": e.micro_epsilon,
                        "output": e.output,
                        "folder": e.folder,
                    }
                    for e in entries
                ],
            )

    def finish(self, written: Iterable[Entry]) -> None:
        """Records digest, released label and folder of outputs that were written."""
        with _told(), self._engine.begin() as connection:
            for e in written:
                connection.execute(
                    update(_ENTRIES)
                    .where(_ENTRIES.c.output == e.output)
                    .values(sha256=e.sha256, label=e.label, folder=e.folder)
                )

    def spent(self, subjects: Iterable[str] | None = None) -> dict[str, tuple[int, int]]:
        """Per subject: micro-epsilons spent in all, and number of releases."""
        wanted = None if subjects is None else set(subjects)
        query = select(
            _ENTRIES.c.subject, func.sum(_ENTRIES.c.micro_epsilon), func.count()
        ).group_by(_ENTRIES.c.subject)
        with _told(), self._engine.connect() as connection:
            return {
                subject: (int(total), int(count))
                for subject, total, count in connection.execute(query)
                if wanted is None or subject in wanted
            }

    def check(self, entries: Sequence[Entry], limit: int) -> None:
        """Raises `BudgetExceeded` if reserving ``entries`` would break ``limit``."""
        with _told(), self._engine.connect() as connection:
            self._check(connection, entries, limit)

    def _check(self, connection: Any, entries: Sequence[Entry], limit: int) -> None:
        asked: dict[str, int] = {}
        for e in entries:
            asked[e.subject] = asked.get(e.subject, 0) + e.micro_epsilon
        subjects = list(asked)
        for start in range(0, len(subjects), 500):
            part = subjects[start : start + 500]
            query = (
                select(_ENTRIES.c.subject, func.sum(_ENTRIES.c.micro_epsilon))
                .where(_ENTRIES.c.subject.in_(part))
                .group_by(_ENTRIES.c.subject)
            )
            for subject, total in connection.execute(query):
                asked[subject] += int(total)
        over = sum(total > limit for total in asked.values())
        if over:
            raise BudgetExceeded(
                f"{over} of {len(asked)} patients would go over their budget of "
                f"epsilon {limit / 1e6:g}; what would go over was not released or charged"
            )


def _entry(row: Any) -> Entry:
    return Entry(
        key=row.key,
        subject=row.subject,
        micro_epsilon=row.micro_epsilon,
        output=row.output,
        folder=row.folder,
        sha256=row.sha256,
        label=row.label,
    )


def _durable(connection: Any, _record: Any) -> None:
    """A commit is on the disk before it returns: what was reserved stays spent."""
    connection.isolation_level = None  # the driver would begin on its own, and too late
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _exclusive(connection: Any) -> None:
    """Nobody else writes between a check of the budget and the reservation that it allows."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
