"""What is derived from a vault's key."""

from __future__ import annotations

import hashlib
import hmac

from latentdp.core.content_digest import ContentDigest

__all__ = ["KEY_BYTES", "Keys"]


KEY_BYTES = 32


class Keys:
    """What is derived from a vault's key.

    Args:
        key: `KEY_BYTES` random bytes.
        digest: How inputs are digested whose keys are derived here.

    Attributes:
        key: These bytes; a secret.
        digest: How inputs are digested.
    """

    def __init__(self, key: bytes, digest: ContentDigest = ContentDigest.BLAKE3) -> None:
        self.key, self.digest = key, digest

    @property
    def tag(self) -> str:
        """A public name of the vault, 16 hexadecimal digits, for the cards of its releases."""
        return self.token("tag")[:16]

    def subject(self, patient: str) -> str:
        """A patient in the ledger, 64 hexadecimal digits; in releases it is another pseudonym.

        Args:
            patient: The loose form of Patient ID and issuer (`latentdp.data.patient_id`).
        """
        return self.token("patient", patient)

    def pictured(self, picture: str) -> str:
        """Whoever is on a picture that names nobody, in the ledger, 64 hexadecimal digits.

        Args:
            picture: Digest of the picture, whatever file it lies in.
        """
        return self.token("pictured", picture)

    def token(self, domain: str, *parts: str | bytes) -> str:
        """A keyed digest (HMAC-SHA256, hexadecimal) of ``parts``, separate for each domain."""
        mac = hmac.new(self.key, digestmod=hashlib.sha256)
        for part in (domain, *parts):
            # A file name may hold bytes that are no text; they come as surrogates.
            data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
            mac.update(len(data).to_bytes(8, "big") + data)
        return mac.hexdigest()
