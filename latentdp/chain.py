"""The chain: each row of a ledger carries a keyed digest of itself and of all rows before it.

Who lacks the vault's key cannot alter, remove, insert or move a row without the chain breaking
there. Rows cut off at the end would leave a shorter chain that is whole; so the vault keeps the
head, the last row that it knows to be recorded.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentdp.atomic import write_text
from latentdp.errors import InputError

__all__ = ["START", "Chain", "Head", "Link"]

FIELDS = (
    "kind", "key", "subject", "micro_epsilon", "pico_delta", "output", "folder", "sha256", "label",
)  # fmt: skip


@dataclass(frozen=True)
class Link:
    """One row's place: its number, counted from 1, and the digest of all rows up to it."""

    seq: int
    chain: str


START = Link(0, "")


class Chain:
    """The chain under one key.

    Args:
        key: Of this chain only.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def after(self, last: Link, row: Mapping[str, Any]) -> Link:
        """The link of the row that follows ``last``."""
        seq = last.seq + 1
        # JSON of strings and integers in ASCII: two different rows give two different texts.
        said = last.chain + json.dumps([seq, *(row[field] for field in FIELDS)])
        return Link(seq, hmac.digest(self._key, said.encode("ascii"), "sha256").hex())

    def walk(self, rows: Iterable[Mapping[str, Any]], known: Link) -> Link:
        """Follows ``rows`` from the first to the last.

        Args:
            rows: All of them in order, with ``seq`` and ``chain``.
            known: A link that must be among them.

        Returns:
            The last link.

        Raises:
            InputError: A row was altered, removed, inserted or moved.
        """
        last, met = START, known == START
        for row in rows:
            link = self.after(last, row)
            if (row["seq"], row["chain"]) != (link.seq, link.chain):
                raise InputError(
                    f"the ledger was tampered with or is damaged: row {link.seq} was altered, "
                    "removed, inserted or moved; restore its database from a copy"
                )
            last, met = link, met or link == known
        if not met:
            raise InputError(
                f"the ledger was tampered with or is another one: it holds {last.seq} rows, and "
                f"not the row {known.seq} that the vault knows; restore its database from a copy"
            )
        return last


class Head:
    """The last link that a vault knows to be recorded, in a file.

    It is written after the commit, so that after a crash it may lag behind, but never lead.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Link:
        """The link; `START` if none was ever recorded.

        Raises:
            InputError: The file is damaged.
        """
        try:
            seq, chain = self._path.read_text(encoding="ascii").split()
            return Link(int(seq), chain)
        except (FileNotFoundError, NotADirectoryError):
            return START
        except ValueError as error:
            raise InputError(
                f"the vault's {self._path.name} is damaged; restore it from a copy"
            ) from error

    def advance(self, link: Link) -> None:
        """Records ``link``, unless a later one is recorded already."""
        with _alone_in(self._path.parent):
            if self.read().seq < link.seq:
                write_text(self._path, f"{link.seq} {link.chain}\n")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
