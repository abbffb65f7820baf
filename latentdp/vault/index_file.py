"""The vault's own tables of what links sources to outputs, in a file beside the ledger.

They never leave the vault, whereas the ledger, which knows random names only, may be on a server.
What is added is on the disk when the call returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    NullPool,
    Select,
    String,
    Table,
    insert,
    inspect,
    select,
)

from latentdp.vault.database import begin, connect, opening, sqlite, using
from latentdp.vault.journals import read_journal

__all__ = ["IndexFile"]

NAME = "index.sqlite"
TWINS, PLACES = "twins.jsonl", "places"  # journals of version 0.1

METADATA = MetaData()
DUPLICATES = Table(
    "duplicates",
    METADATA,
    Column("digest", String(64), primary_key=True),  # keyed, of a content or of a picture
    Column("key", String(64), nullable=False),  # under which it is released
    sqlite_with_rowid=False,
)
OUTPUTS = Table(
    "outputs",
    METADATA,
    Column("seq", Integer, primary_key=True),  # of two rows the later one holds
    Column("release", String, nullable=False),
    Column("output", String, nullable=False),  # its random name
    Column("path", String, nullable=False),  # below the images folder
)
Index("outputs_release", OUTPUTS.c.release)
PATIENTS = Table(
    "patients",
    METADATA,
    Column("pseudonym", String(64), primary_key=True),  # in releases
    Column("subject", String(64), nullable=False),  # keyed, in the ledger
    sqlite_with_rowid=False,
)
JOURNALS = Table(
    "journals",
    METADATA,
    Column("name", String, primary_key=True),
    Column("bytes", Integer, nullable=False),  # of it that were taken over
)

Row = Mapping[str, str | int]


class IndexFile:
    """The tables of one vault.

    What version 0.1 kept in journals is taken over, each line once. Where nothing may be written
    it is read along.

    Args:
        vault: Folder of the vault.
        read_only: Write nothing; a file that is still to be made counts as empty.

    Raises:
        InputError: The file or a journal is damaged.
    """

    def __init__(self, vault: Path, *, read_only: bool = False) -> None:
        self._vault = vault
        self._taken: dict[str, int] = {}
        self._lacks: set[str] = set()
        file = vault / NAME
        self._engine = None
        if read_only and not file.exists():
            return
        with opening(f"the vault's {NAME}"):
            engine = connect(sqlite(file), read_only=read_only, pool=NullPool)
            if read_only:
                with engine.connect() as connection:
                    if not inspect(connection).has_table(JOURNALS.name):
                        return  # a run died before it had made them
                    self._taken = _taken(connection)
                    self._lacks = {*METADATA.tables} - {*inspect(connection).get_table_names()}
            else:
                with begin(engine, "") as connection:
                    METADATA.create_all(connection)
                    self._take_over(connection)
        self._engine = engine

    def duplicates(self) -> dict[str, str]:
        """The key under which a content is released, by digest."""
        links = dict(self._rows(select(DUPLICATES.c.digest, DUPLICATES.c.key)))
        return links | dict(self._late(TWINS)[0])

    def add_duplicates(self, links: Mapping[str, str]) -> None:
        """Adds links, digest to key; a newer one of a digest replaces an older one."""
        self._add(DUPLICATES, [_link(*pair) for pair in links.items()])

    def places(self, release: str) -> list[tuple[str, str]]:
        """Output and path, in the order in which they were added; a later pair outweighs."""
        query = select(OUTPUTS.c.output, OUTPUTS.c.path).where(OUTPUTS.c.release == release)
        late, _ = self._late(f"{PLACES}/{release}.jsonl")
        return [*self._rows(query.order_by(OUTPUTS.c.seq)), *late]

    def add_places(self, release: str, places: Iterable[tuple[str, str]]) -> None:
        """Adds pairs of output and path."""
        self._add(OUTPUTS, [_place(release, *pair) for pair in places])

    def patients(self) -> dict[str, str]:
        """The subject in the ledger of each pseudonym in releases; none that 0.1 released."""
        return dict(self._rows(select(PATIENTS.c.pseudonym, PATIENTS.c.subject)))

    def add_patients(self, patients: Mapping[str, str]) -> None:
        """Adds pseudonyms with their subjects."""
        self._add(PATIENTS, [{"pseudonym": p, "subject": s} for p, s in patients.items()])

    def _add(self, table: Table, rows: Sequence[Row]) -> None:
        if not rows:
            return
        assert self._engine is not None, "nothing is added to what is read only"
        with using("the vault's index"), begin(self._engine, "") as connection:
            _insert(connection, table, rows)

    def _rows(self, query: Select[Any]) -> list[Any]:
        tables = {table.name for table in query.get_final_froms() if isinstance(table, Table)}
        if self._engine is None or tables & self._lacks:
            return []
        with using("the vault's index"), self._engine.connect() as connection:
            return list(connection.execute(query).all())

    def _late(self, journal: str) -> tuple[list[tuple[str, str]], int]:
        """What an old journal holds and the tables do not, and the byte at which that ends."""
        fields = ("digest", "key") if journal == TWINS else ("output", "path")
        rows, end = read_journal(self._vault / journal, fields, self._taken.get(journal, 0))
        return [(first, second) for first, second in rows], end

    def _take_over(self, connection: Connection) -> None:
        self._taken = _taken(connection)
        for path in [self._vault / TWINS, *sorted((self._vault / PLACES).glob("*.jsonl"))]:
            journal = path.relative_to(self._vault).as_posix()
            late, end = self._late(journal)
            if not late:
                continue
            if journal == TWINS:
                _insert(connection, DUPLICATES, [_link(*pair) for pair in late])
            else:
                _insert(connection, OUTPUTS, [_place(path.stem, *pair) for pair in late])
            _insert(connection, JOURNALS, [{"name": journal, "bytes": end}])
            self._taken[journal] = end


def _insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Adds rows; one with the primary key of another replaces it."""
    connection.execute(insert(table).prefix_with("OR REPLACE"), rows)


def _link(digest: str, key: str) -> Row:
    return {"digest": digest, "key": key}


def _place(release: str, output: str, path: str) -> Row:
    return {"release": release, "output": output, "path": path}


def _taken(connection: Connection) -> dict[str, int]:
    rows = connection.execute(select(JOURNALS.c.name, JOURNALS.c.bytes)).all()
    return dict(rows)
