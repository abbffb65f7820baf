"""Signatures of a vault (Ed25519, RFC 8032): that several files come from one who holds it.

Whose vault that is, people tell each other by its public key.
"""

from __future__ import annotations

import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from latentdp.vault.keys import Keys

__all__ = ["is_key", "is_signed", "public_key", "signature"]

PURPOSE = "site signature"  # of the subkey, which does nothing else


def public_key(keys: Keys) -> str:
    """By which anybody checks what a vault signed: 64 hexadecimal digits."""
    public = _private(keys).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return public.hex()


def signature(keys: Keys, content: bytes) -> str:
    """Of a content, in hexadecimal."""
    return _private(keys).sign(content).hex()


def is_key(text: str) -> bool:
    """Whether it is a public key, as `public_key` writes one."""
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def is_signed(key: str, signed: str, content: bytes) -> bool:
    """Whether a content was signed by who holds the private half of a key.

    Args:
        key: The public half, in hexadecimal; spelled otherwise than `public_key` does, in capitals
            or with spaces, it is none: one vault would be several.
        signed: The signature, in hexadecimal.
        content: Of what.
    """
    if not is_key(key):
        return False
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        public.verify(bytes.fromhex(signed), content)
    except (ValueError, InvalidSignature):
        return False
    return True


def _private(keys: Keys) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(keys.token(PURPOSE)))
