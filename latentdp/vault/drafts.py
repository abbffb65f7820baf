"""Drafts: images that are drawn and not published yet. They wait where only the owner sees them.

A draft is written, its digest is recorded in the ledger, and only then is it published. So what a
run that died left here is either recorded, and the next run publishes that very draft, or nobody
has seen it: it is removed, and the image is drawn anew under the same reservation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from latentdp.core.filesystem import digest, whole
from latentdp.errors import Aborted
from latentdp.privacy.noise import SystemNoise
from latentdp.vault.ledger_schema import LedgerEntry

__all__ = ["Drafts"]


class Drafts:
    """The drafts of a vault. Those of one run have names that no other run gives.

    A worker that outlives its run therefore never writes to a draft of the next one.

    Args:
        vault: Its folder.
    """

    def __init__(self, vault: Path) -> None:
        self._folder = vault / "drafts"
        self._run = SystemNoise().words(1).tobytes().hex()

    def make(self) -> None:
        """Makes the folder."""
        self._folder.mkdir(mode=0o700, exist_ok=True)

    def path(self, output: str) -> Path:
        """Where this run's draft of an output lies."""
        return self._folder / f"{self._run}-{output}"

    def write(self, output: str, content: bytes) -> str:
        """Writes this run's draft of an output, whole or not at all; returns its SHA-256.

        Raises:
            Aborted: The disk is full, or the vault cannot be written to.
        """
        try:
            with whole(self.path(output)) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            raise Aborted(
                f"an output could not be written to the vault ({error.strerror}); nothing "
                "half-written was left, and running the same command again goes on from here"
            ) from None
        return hashlib.sha256(content).hexdigest()

    def find(self, entry: LedgerEntry) -> Path | None:
        """The draft, of any run, that the ledger recorded of an output; None if there is none."""
        drafts = self._folder.glob(f"*-{entry.output}")
        return next((path for path in drafts if digest(path) == entry.sha256), None)

    def holds(self, path: Path) -> bool:
        """Whether a file is a draft."""
        return path.parent == self._folder

    def left(self) -> Iterator[tuple[Path, str]]:
        """Each file that runs before left here, and the output that it is a draft of."""
        for path in sorted(self._folder.iterdir()):
            yield path, path.name.partition("-")[2]
