"""The vault: everything that links a release to its sources, kept apart from it.

A vault is a folder that only its owner can enter (mode 0700; on Windows an access list). It holds
the key of all pseudonyms, the ledger or where it is, and a private report of each run. It is never
inside the folder that is released. Where a file system keeps no permissions at all, it is used all
the same, and whoever runs the command is warned.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from sqlalchemy import URL

from latentdp.core.content_digest import ContentDigest
from latentdp.core.filesystem import alone, whole, write_text
from latentdp.core.system import is_private, keeps_modes
from latentdp.errors import Busy, InputError
from latentdp.privacy.noise import SystemNoise
from latentdp.vault.database import address, location, sqlite
from latentdp.vault.index_file import IndexFile
from latentdp.vault.keys import KEY_BYTES, Keys
from latentdp.vault.ledger import Ledger

__all__ = ["UnmadeVault", "Vault"]

DIGEST = "digest"  # names how inputs are digested; missing in vaults made before there were two
NOWHERE = Path(os.devnull) / "none"  # nothing can lie below a device


class Vault(Keys):
    """An open vault.

    Args:
        path: Its folder; made, with a new key, where there is none.
        read_only: Nothing is made or written; `exists` says whether that is possible.

    Attributes:
        path: Its folder.
        reports: Folder of the private reports of all runs and their recipes.

    Raises:
        InputError: Others can enter the folder, or its key is damaged.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path, self._read_only = path, read_only
        self._new, self._unused = not path.exists(), False
        if self._new:
            try:
                path.mkdir(mode=0o700, parents=True)
            except OSError as error:
                raise InputError(f"the vault cannot be made ({error.strerror})") from error
        if not path.is_dir():
            raise InputError("expected the vault to be a folder")
        if not is_private(path) and keeps_modes(path):
            raise InputError(
                "expected the vault to be open to its owner only (mode 0700); "
                "close it with chmod 700, or name another"
            )
        self.reports = path / "reports"
        super().__init__(self._key(), self._digest())
        if not read_only:
            self.reports.mkdir(mode=0o700, exist_ok=True)

    def index(self) -> IndexFile:
        """The tables of what links sources to outputs. Only a run that has `locked` adds to them.

        Raises:
            InputError: They are damaged.
        """
        return IndexFile(self.path, read_only=self._read_only)

    @staticmethod
    def exists(path: Path) -> bool:
        """Whether there is a vault, or something in its place."""
        return (path / "key").exists() if path.is_dir() else path.exists()

    def ledger(self, url: str | None = None) -> Ledger:
        """The ledger of what was spent on whom.

        Args:
            url: Its database, which the vault remembers; by default the remembered one, or
                ``ledger.sqlite`` in the vault.

        Raises:
            InputError: The vault keeps its ledger elsewhere, or the database cannot be opened.
        """
        file = self.path / "ledger.url"
        own = sqlite(self.path / "ledger.sqlite")
        known = address(file.read_text(encoding="utf-8")) if file.exists() else None
        if url is None:
            return self._open(known or own)
        wanted = address(url)
        if known is None and Path(own.database or "").exists():
            with closing(self._open(own)) as begun:
                known = own if begun.verify() else None
        if known is not None and location(known) != location(wanted):
            raise InputError(
                "the vault keeps its ledger in another database; leave --ledger out, or name "
                "another vault"
            )
        ledger = self._open(wanted)
        if wanted != known and not self._read_only:  # new, or another user or password
            write_text(file, wanted.render_as_string(hide_password=False), mode=0o600)
        return ledger

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one run at a time may reserve and write with this vault.

        Raises:
            Busy: Another run holds it.
        """
        try:
            with ExitStack() as held:
                try:
                    held.enter_context(alone(self.path / "lock", wait=False))
                except BlockingIOError as error:
                    raise Busy("another run is using this vault; wait until it ends") from error
                yield
        finally:
            if self._unused:  # now that none of its files is open
                shutil.rmtree(self.path)

    def undo(self) -> None:
        """Has `locked` end by removing the vault if this object made it.

        To be called where nothing was released under its key.
        """
        self._unused = self._new

    def _open(self, url: URL) -> Ledger:
        key = bytes.fromhex(self.token("ledger chain"))
        head = self.path / "ledger.head"
        return Ledger(url, vault=self.tag, key=key, head=head, read_only=self._read_only)

    def _key(self) -> bytes:
        file = self.path / "key"
        if not file.exists():
            # Two processes that start at once agree on one key, which is never half written.
            with alone(self.path / "key.lock", wait=True):
                if not file.exists():
                    # First: a key without it is of a vault that was made before there were two.
                    write_text(self.path / DIGEST, f"{ContentDigest.BLAKE3}\n", mode=0o600)
                    with whole(file) as temporary:
                        temporary.touch(0o600)
                        temporary.write_bytes(SystemNoise().words(KEY_BYTES // 8).tobytes())
        key = file.read_bytes()
        if len(key) != KEY_BYTES:
            raise InputError(f"expected the vault's key to be {KEY_BYTES} bytes; it is damaged")
        return key

    def _digest(self) -> ContentDigest:
        """How it knows inputs: always as it did when it was made, or it would know none of them.

        Raises:
            InputError: In a way that this version does not know.
        """
        file = self.path / DIGEST
        if not file.exists():
            return ContentDigest.SHA256
        try:
            return ContentDigest(file.read_text(encoding="utf-8").strip())
        except ValueError:
            raise InputError(
                "the vault knows inputs by digests of a kind that this version does not have; "
                "use the version that made it"
            ) from None


class UnmadeVault(Vault):
    """Stands for a vault that is still to be made: it is empty, and nothing is ever written."""

    def __init__(self) -> None:
        Keys.__init__(self, bytes(KEY_BYTES))
        self.path, self.reports = NOWHERE, NOWHERE / "reports"
        self._new, self._read_only = False, True

    def index(self) -> IndexFile:
        """Empty tables."""
        return IndexFile(self.path, read_only=True)

    def ledger(self, url: str | None = None) -> Ledger:
        """The ledger that a database holds of a vault without releases: an empty one."""
        return Ledger(url, vault=self.tag, key=self.key, head=NOWHERE, read_only=True)
