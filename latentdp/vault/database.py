"""The databases of a vault: where one is, how it is opened, and how its writers take turns.

SQLite is a file of one machine; PostgreSQL is a server for several. No message ever tells a URL
or a part of it: a password that was not quoted can end up in any part.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, Pool, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from latentdp.errors import Aborted, InputError

__all__ = ["address", "begin", "connect", "file_of", "location", "memory", "opening", "using"]

WAIT = 60  # seconds: how long a writer waits for the others, and the server for a lost writer

_SERVER = {"postgres", "postgresql", "postgresql+psycopg"}

_REASONS = {  # what the server says: what we say
    "authentication failed": "the server refused the user or the password",
    "no password supplied": "the server wants a password",
    "does not exist": "the server does not know the database or the user",
    "permission denied": "the user may not make or read the ledger's table",
    "connection refused": "no server answers there",
    "resolve host": "no server answers there",
    "timeout": "no server answers there",
    "readonly database": "a run that died left a write half done, which the next run undoes",
    "disk is full": "the disk is full",
    "no space left": "the disk is full",
    "disk i/o": "the disk failed",
    "not a database": "it is damaged; restore it from a copy",
    "image is malformed": "it is damaged; restore it from a copy",
}


def address(url: str | URL) -> URL:
    """A database's URL, checked, complete, and independent of the working folder.

    Args:
        url: ``postgresql://user@host:port/database`` or ``sqlite:///file``.

    Raises:
        InputError: It is neither.
    """
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError):
        raise InputError("the ledger's URL cannot be read") from None
    if parsed.drivername in _SERVER:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername != "sqlite":
        raise InputError("expected the ledger's URL to begin with postgresql:// or sqlite:///")
    name = parsed.database or ":memory:"
    if parsed.host or parsed.query or name.startswith((":memory:", "file:")):
        raise InputError("expected a ledger in SQLite to be sqlite:/// and the path of a file")
    return sqlite(Path(name))


def sqlite(file: Path) -> URL:
    """The URL of a file of this machine, independent of the working folder."""
    return URL.create("sqlite", database=str(file.resolve()))


def location(url: URL) -> URL:
    """Where the database is, whoever opens it: a user or a password may change."""
    return URL.create(url.drivername, None, None, url.host, url.port, url.database, url.query)


def file_of(url: URL) -> Path | None:
    """The file of an SQLite database."""
    return Path(url.database or "") if url.drivername == "sqlite" else None


def memory() -> Engine:
    """An engine for an empty database that nobody keeps."""
    return create_engine(URL.create("sqlite"))


def connect(url: URL, *, read_only: bool = False, pool: type[Pool] | None = None) -> Engine:
    """An engine for what `address` gave; whatever it commits is on the disk.

    Args:
        url: Where it is.
        read_only: Refuse to write, and fail if a file does not exist.
        pool: How connections to a file are kept; by default one stays open.

    Raises:
        InputError: The driver is missing.
    """
    file = file_of(url)
    if file is None:
        waits = {"connect_timeout": "10", "tcp_user_timeout": str(1000 * WAIT)}
        try:
            return create_engine(
                url.set(query={**waits, **url.query}),
                isolation_level="READ COMMITTED",  # a statement sees all earlier commits
                pool_pre_ping=True,
                execution_options={"postgresql_readonly": True} if read_only else {},
            )
        except ImportError:
            raise InputError(
                "a ledger on a PostgreSQL server needs the driver psycopg; "
                "pip install latentdp[postgresql]"
            ) from None
    if read_only:
        return create_engine(
            url.set(database=file.as_uri(), query={"uri": "true", "mode": "ro"}),
            connect_args={"timeout": WAIT},
            poolclass=pool,
        )
    if file.parent.is_dir():
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(url, connect_args={"timeout": WAIT}, poolclass=pool)
    event.listen(engine, "connect", _durable)
    event.listen(engine, "begin", _immediate)
    return engine


@contextmanager
def begin(engine: Engine, scope: str) -> Iterator[Connection]:
    """A transaction that is alone among those of its ``scope``, and durable once committed."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # An advisory lock, not one of the table: a user who may only SELECT and INSERT,
            # and so cannot change what is recorded, is enough. A writer that was cut off from
            # the server does not hold it for ever.
            number = int.from_bytes(
                hashlib.sha256(f"latentdp {scope}".encode()).digest()[:8], "big", signed=True
            )
            for statement in (
                "SET LOCAL synchronous_commit = on",
                f"SET LOCAL lock_timeout = '{WAIT}s'",
                f"SET LOCAL idle_in_transaction_session_timeout = '{WAIT}s'",
                f"SELECT pg_advisory_xact_lock({number})",
            ):
                connection.execute(text(statement))
        yield connection


@contextmanager
def opening(name: str = "the ledger's database") -> Iterator[None]:
    """Opening a database fails as wrong usage, in words that hold nothing of its URL."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        reason = _reason(error)
        raise InputError(f"{name} cannot be opened" + (f": {reason}" if reason else "")) from None


@contextmanager
def using(name: str = "the ledger") -> Iterator[None]:
    """A database that fails later stops the run, which can be run again."""
    try:
        yield
    except SQLAlchemyError as error:
        reason = _reason(error)
        raise Aborted(
            f"{name} could not be read or written{f' ({reason})' if reason else ''}; nothing that "
            "is not recorded was released, and running the same command again goes on from here"
        ) from error


def _reason(error: Exception) -> str:
    """Why a database failed, in words that hold nothing of its URL; empty where it is unknown."""
    message = str(getattr(error, "orig", error)).lower()
    return next((ours for theirs, ours in _REASONS.items() if theirs in message), "")


def _durable(connection: Any, _record: Any) -> None:
    """A commit is on the disk before it returns: what was reserved stays spent."""
    connection.isolation_level = None  # the driver would begin on its own, and too late
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=EXTRA")  # FULL may lose the last commit with the power
    cursor.close()


def _immediate(connection: Connection) -> None:
    """Nobody else writes between a check of the budget and the reservation that it allows."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
