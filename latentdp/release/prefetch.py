"""The next inputs are read while those before them are made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from latentdp.release.decide import Decider, Decision, PendingReads
from latentdp.release.executor import Pool
from latentdp.release.inputs import SourceFile
from latentdp.release.tasks import Taken

__all__ = ["Prefetcher"]


class Prefetcher:
    """An iterator over the decisions on chunks, which reads one chunk ahead.

    Args:
        decider: Decides.
        workers: Who reads.
        files: All inputs, in the order in which they are taken.
    """

    def __init__(self, decider: Decider, workers: Pool, files: Sequence[SourceFile]) -> None:
        self._decider, self._parts = decider, workers.chunks(files)
        self._begun: PendingReads | None = None
        self._asked = self._ask()

    def look(self) -> None:
        """Has the next chunk read, if there is one; to be called when this one is reserved."""
        if self._begun is None and self._asked is not None:
            (part, taken), self._asked = self._asked, self._ask()
            self._begun = self._decider.begin(part, taken)

    def __iter__(self) -> Iterator[list[Decision]]:
        while True:
            self.look()
            begun, self._begun = self._begun, None
            if begun is None:
                return
            yield self._decider.end(begun)

    def _ask(self) -> tuple[Sequence[SourceFile], Iterator[Taken]] | None:
        part = next(self._parts, None)
        return None if part is None else (part, self._decider.take(part))
