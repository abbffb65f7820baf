"""Keyed pseudonyms: the same old identifier gives the same new one, for the same key only.

HMAC-SHA256 under the vault's key. A plain hash of an identifier can be found by trying
identifiers; this cannot, without the key. UIDs are 2.25 and the first 128 bits as a decimal
integer (PS3.5 B.2), digits and dots only.
"""

from __future__ import annotations

import hmac

from latentdp.errors import InputError

__all__ = ["Pseudonyms"]

_MIN_KEY = 16


class Pseudonyms:
    """The pseudonyms under one key."""

    def __init__(self, key: bytes) -> None:
        """Takes the vault's key for pseudonyms; raises `InputError` when it is short."""
        if len(key) < _MIN_KEY:
            raise InputError(f"expected a key of at least {_MIN_KEY} bytes, got {len(key)}")
        self._key = key

    def patient(self, old: str) -> str:
        """Returns the new Patient ID (0010,0020) for an old one: LDP- and 16 hex digits."""
        return f"LDP-{self._digest('patient', old)[:8].hex().upper()}"

    def uid(self, kind: str, old: str, *more: str) -> str:
        """Returns a new UID for an old one.

        Args:
            kind: What is named ("study", "series", "instance"): one old value gives different
                UIDs for different kinds.
            old: The old UID, or where the source has none, a stand-in that no other object
                shares: an empty one would make two objects into one.
            more: What the UID depends on besides. For an instance, what tells it from other
                releases of one source, and from other files that claim the same UID. Nothing
                for a study or series, whose parts come together over runs and recipes.
        """
        number = int.from_bytes(self._digest(f"uid:{kind}", old, *more)[:16], "big")
        return f"2.25.{number}"

    def days(self, patient: str, most: int) -> int:
        """Returns by how many days, 1 to ``most``, all dates of a patient are shifted."""
        return 1 + int.from_bytes(self._digest("days", patient)[:8], "big") % most

    def _digest(self, purpose: str, old: str, *more: str) -> bytes:
        if not old:
            raise InputError("expected an identifier to derive a pseudonym from, got an empty one")
        # Each part goes with its length in front, so that no two lists of parts give the same
        # bytes; the number of parts goes first for the same reason.
        parts = [part.encode("utf-8", "surrogatepass") for part in (purpose, old, *more)]
        message = len(parts).to_bytes(4, "big")
        for part in parts:
            message += len(part).to_bytes(8, "big") + part
        return hmac.digest(self._key, b"latentdp.pseudonyms.1" + message, "sha256")
