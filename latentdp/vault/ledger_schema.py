"""The rows of a ledger: the table of events, and the entries that they add up to.

Rows are only ever added. Of an output there is one event that reserves its cost, and afterwards
one for each time that it was written or found elsewhere; the newest holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    inspect,
)

from latentdp.errors import InputError

__all__ = [
    "CAP",
    "CAP_DELTA",
    "EVENTS",
    "EXPOSED",
    "NOTHING",
    "RESERVE",
    "RESERVES",
    "SAME",
    "WRITTEN",
    "LedgerEntry",
    "entries",
    "is_prepared",
    "note",
    "prepare",
]

NOTHING = "nothing"  # instead of a digest: the draw gave no image, and there is no second one
RESERVE, WRITTEN = "reserve", "written"
CAP, CAP_DELTA = "cap", "capdelta"
EXPOSED = "exposed"  # something of the output, and so of its subject, is released exactly
SAME = "same"  # what was spent on the pseudonym in ``key`` counts for that in ``subject``

METADATA = MetaData()
EVENTS = Table(
    "latentdp_ledger",
    METADATA,
    # Two writers that saw the same last row cannot both add one, whatever the locks do.
    Column("vault", String(16), primary_key=True),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("key", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("micro_epsilon", BigInteger, nullable=False),
    Column("pico_delta", BigInteger, nullable=False),
    Column("output", String(64), nullable=False),
    Column("folder", String, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("label", Integer, nullable=False),
    Column("chain", String(64), nullable=False),
)
RESERVES = EVENTS.c.kind == RESERVE
Index("latentdp_ledger_key", EVENTS.c.vault, EVENTS.c.key)
Index("latentdp_ledger_subject", EVENTS.c.vault, EVENTS.c.subject)
Index("latentdp_ledger_output", EVENTS.c.vault, EVENTS.c.output)
Index(
    "latentdp_ledger_paid_once",
    EVENTS.c.vault,
    EVENTS.c.output,
    unique=True,
    sqlite_where=RESERVES,
    postgresql_where=RESERVES,
)


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One release of one input under one recipe.

    Attributes:
        key: Keyed digest of input and recipe, 64 hexadecimal digits.
        subject: Keyed pseudonym of the patient, 64 hexadecimal digits.
        micro_epsilon: Epsilon that it costs, in units of 1e-6 nats, rounded up; at least 0.
        pico_delta: Delta that it costs, in units of 1e-12, rounded up; at least 0.
        output: Random name of the output file, at most 64 characters.
        folder: While it is reserved, the digest of mark and path of the release folder that it is
            owed to; afterwards the path of the folder that it was written to, or found in after a
            move.
        sha256: SHA-256 of the output file in hexadecimal; empty until it is written, and `NOTHING`
            if there is none.
        label: Index of the released class; -1 for none.
    """

    key: str
    subject: str
    micro_epsilon: int
    pico_delta: int = 0
    output: str
    folder: str
    sha256: str = ""
    label: int = -1

    def written(self, sha256: str, label: int, folder: str) -> LedgerEntry:
        """The entry once its output lies in ``folder`` with this digest and released label."""
        return replace(self, sha256=sha256, label=label, folder=folder)


def note(
    *,
    key: str = "",
    subject: str = "",
    micro_epsilon: int = 0,
    pico_delta: int = 0,
    output: str = "",
) -> LedgerEntry:
    """The values of an event that reserves nothing."""
    return LedgerEntry(
        key=key,
        subject=subject,
        micro_epsilon=micro_epsilon,
        pico_delta=pico_delta,
        output=output,
        folder="",
    )


def entries(rows: Iterable[Any]) -> list[LedgerEntry]:
    """What events, in their order, add up to: one entry an output, in the order of reservation."""
    by_output: dict[str, LedgerEntry] = {}
    for row in rows:
        if row.kind == RESERVE:
            by_output[row.output] = LedgerEntry(
                **{f.name: getattr(row, f.name) for f in fields(LedgerEntry)}
            )
        elif row.kind == WRITTEN and row.output in by_output:
            reserved = by_output[row.output]
            by_output[row.output] = reserved.written(row.sha256, row.label, row.folder)
    return list(by_output.values())


def prepare(connection: Connection) -> None:
    """Makes the table where there is none.

    Raises:
        InputError: The database holds the ledger of version 0.1.0.
    """
    if not is_prepared(connection):
        METADATA.create_all(connection)


def is_prepared(connection: Connection) -> bool:
    """Whether there is the table.

    Raises:
        InputError: The database holds the ledger of version 0.1.0.
    """
    tables = inspect(connection)
    old = tables.get_columns("entries") if tables.has_table("entries") else []
    if "micro_epsilon" in {column["name"] for column in old}:
        raise InputError(
            "the database holds a ledger of latentdp 0.1.0, which this version cannot add to; "
            "begin a new vault, and count what the old one has spent"
        )
    return tables.has_table(EVENTS.name)
