"""Opening the database of a ledger: made where there is none, or an empty one in its place."""

from __future__ import annotations

from sqlalchemy import URL, Engine

from latentdp.vault.database import address, begin, connect, file_of, memory, opening
from latentdp.vault.ledger_schema import is_prepared, prepare

__all__ = ["open_database"]


def open_database(url: str | URL | None, *, read_only: bool) -> Engine:
    """An engine for a database with the table of ledgers.

    Args:
        url: For example ``sqlite:////path/ledger.sqlite`` or ``postgresql://user@host/name``;
            None for an empty one in memory.
        read_only: Write nothing; a database that is still to be made counts as empty.

    Raises:
        InputError: It cannot be opened, or holds the ledger of version 0.1.0.
    """
    with opening():
        database = None if url is None else address(url)
        if database is not None and read_only and not _recorded(database):
            database = None
        engine = memory() if database is None else connect(database, read_only=read_only)
        if database is None or not read_only:
            try:
                with begin(engine, "") as connection:
                    prepare(connection)
            except BaseException:
                engine.dispose()
                raise
        return engine


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
