"""Chunks of inputs, the next ones being read while the last one is released.

Only what follows from the files themselves is done ahead: their digests and their pixels. What is
decided about them waits until the chunk before is decided and reserved. At most two chunks are in
memory, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from latentdp.triage import Begun, Fate, Triage
from latentdp.workers import Pool

__all__ = ["Ahead"]


class Ahead:
    """An iterator over the fates of chunks.

    Args:
        triage: Decides.
        workers: Who reads.
        parts: The chunks.
    """

    def __init__(self, triage: Triage, workers: Pool, parts: Iterable[Sequence[Path]]) -> None:
        self._triage, self._workers, self._parts = triage, workers, iter(parts)
        self._begun: Begun | None = None
        self._digests = self._ask()

    def look(self) -> None:
        """Has the next chunk read, if there is one; to be called when this one is reserved."""
        if self._begun is None and self._digests is not None:
            (part, digests), self._digests = self._digests, self._ask()
            self._begun = self._triage.begin(part, digests)

    def __iter__(self) -> Iterator[list[Fate]]:
        while True:
            self.look()
            begun, self._begun = self._begun, None
            if begun is None:
                return
            yield self._triage.end(begun)

    def _ask(self) -> tuple[Sequence[Path], Iterator[str]] | None:
        part = next(self._parts, None)
        return None if part is None else (part, self._workers.digests(part))
