"""The chain: each row of a ledger carries a keyed digest of itself and of all rows before it.

Who lacks the vault's key cannot alter, remove, insert or move a row without the chain breaking
there. Rows cut off at the end would leave a shorter chain that is whole; so the vault keeps the
head, the last row that it knows to be recorded.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentdp.core.filesystem import alone, write_text
from latentdp.errors import InputError

__all__ = ["START", "HashChain", "ChainHead", "ChainLink", "altered"]

FIELDS = (
    "kind", "key", "subject", "micro_epsilon", "pico_delta", "output", "folder", "sha256", "label",
)  # fmt: skip


@dataclass(frozen=True)
class ChainLink:
    """One row's place in its chain.

    Attributes:
        seq: Its number, counted from 1; 0 stands before the first.
        chain: Keyed digest of all rows up to it, 64 hexadecimal digits; empty before the first.
    """

    seq: int
    chain: str


START = ChainLink(0, "")


class HashChain:
    """The chain under one key.

    Args:
        key: Secret of this chain alone.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def after(self, last: ChainLink, row: Mapping[str, Any]) -> ChainLink:
        """The link of the row that follows ``last``."""
        seq = last.seq + 1
        # JSON of strings and integers in ASCII: two different rows give two different texts.
        text = last.chain + json.dumps([seq, *(row[field] for field in FIELDS)])
        return ChainLink(seq, hmac.digest(self._key, text.encode("ascii"), "sha256").hex())

    def holds(self, row: Mapping[str, Any], before: str) -> bool:
        """Whether a row, with ``seq`` and ``chain``, is the one recorded after that digest."""
        link = self.after(ChainLink(row["seq"] - 1, before), row)
        return (row["seq"], row["chain"]) == (link.seq, link.chain)

    def follow(
        self, rows: Iterable[Mapping[str, Any]], *, last: ChainLink, known: ChainLink
    ) -> Iterator[Mapping[str, Any]]:
        """Yields the rows after ``last``, each of them checked.

        Args:
            rows: In order, with ``seq`` and ``chain``, from that of ``last`` on.
            last: Where an earlier walk ended; `START` for all rows.
            known: A link that must be among the rows, unless it is one before ``last``.

        Raises:
            InputError: A row was altered, removed, inserted or moved.
        """
        remaining = iter(rows)
        if last != START:
            row = next(remaining, None)
            if row is None or (row["seq"], row["chain"]) != (last.seq, last.chain):
                raise _lacks(last)
        met = known == last or known.seq < last.seq
        for row in remaining:
            if row["seq"] != last.seq + 1 or not self.holds(row, last.chain):
                raise altered(last.seq + 1)
            last = ChainLink(row["seq"], row["chain"])
            met = met or last == known
            yield row
        if not met:
            raise _lacks(known)


def altered(seq: int) -> InputError:
    """The error of a row that is not what was recorded."""
    return InputError(
        f"the ledger was tampered with or is damaged: row {seq} was altered, removed, inserted "
        "or moved; restore its database from a copy"
    )


def _lacks(link: ChainLink) -> InputError:
    return InputError(
        f"the ledger was tampered with or is another one: it lacks the row {link.seq} that the "
        "vault knows; restore its database from a copy"
    )


class ChainHead:
    """The last link that a vault knows to be recorded, in a file.

    It is written after the commit, so that after a crash it may lag behind, but never lead.

    Args:
        path: The file.
        read_only: Neither lock nor write it.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path, self._read_only = path, read_only

    def read(self) -> ChainLink:
        """The link; `START` if none was ever recorded.

        Raises:
            InputError: The file is damaged.
        """
        try:
            seq, chain = self._path.read_text(encoding="ascii").split()
            return ChainLink(int(seq), chain)
        except (FileNotFoundError, NotADirectoryError):
            return START
        except ValueError as error:
            raise InputError(
                f"the vault's {self._path.name} is damaged; restore it from a copy"
            ) from error

    @contextmanager
    def held(self) -> Iterator[ChainLink]:
        """The link, which no other process changes meanwhile: who holds it may `advance` it."""
        lock = self._path.with_suffix(".lock")
        with nullcontext() if self._read_only else alone(lock, wait=True):
            yield self.read()

    def advance(self, last: ChainLink) -> None:
        """Records a later link than the one that is `held` and was met on the way to it."""
        if not self._read_only and self.read().seq < last.seq:
            write_text(self._path, f"{last.seq} {last.chain}\n")
