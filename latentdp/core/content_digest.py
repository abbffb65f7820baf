"""Digests of inputs, by which a vault knows the same bytes again."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path

from blake3 import blake3

__all__ = ["ContentDigest"]

_PART = 2**20  # bytes of a file that are held at a time


class ContentDigest(StrEnum):
    """How contents are digested. Both are collision resistant; no key goes into either.

        >>> ContentDigest.BLAKE3.of(b"")[:16]
        'blake3:af1349b9f'

    What leaves a vault's process is digested once more under its key
    (`latentdp.vault.keys.Keys.token`), so that workers on other machines need no key.
    """

    SHA256 = "sha256"  # of vaults made by version 0.1
    BLAKE3 = "blake3"  # a third of the time, and a tenth where SHA is not in hardware

    def of(self, content: bytes) -> str:
        """The digest of some bytes, in hexadecimal; other than SHA-256, with its name."""
        if self is ContentDigest.SHA256:
            return self._named(hashlib.sha256(content).hexdigest())
        return self._named(blake3(content).hexdigest())

    def of_file(self, path: Path) -> str:
        """The same of a file, which is not held in memory.

        Raises:
            OSError: It cannot be read.
        """
        digest = hashlib.sha256() if self is ContentDigest.SHA256 else blake3()
        with path.open("rb", buffering=0) as file:
            part = bytearray(_PART)
            while count := file.readinto(part):
                digest.update(memoryview(part)[:count])
        return self._named(digest.hexdigest())

    def _named(self, digits: str) -> str:
        return digits if self is ContentDigest.SHA256 else f"{self}:{digits}"
