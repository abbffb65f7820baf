"""The one door of randomness: every random bit of a release comes from here.

`SystemNoise` encrypts zeros with AES-256 in counter mode under a key and counter that it draws
from the operating system for each call. It holds no state, so a fork, a thread or a copied
object can never replay a stream. `SeededNoise` repeats itself; it exists for tests and synthetic
samples, and whatever it touches is stamped NOT PRIVATE.
"""

from __future__ import annotations

import hashlib
import os
from typing import Protocol

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

__all__ = ["WORD", "Noise", "SeededNoise", "SystemNoise"]

WORD = 64  # bits


class Noise(Protocol):
    """A source of uniform bits."""

    @property
    def secure(self) -> bool:
        """False if the bits can be predicted, which voids every guarantee."""

    def words(self, n: int) -> NDArray[np.uint64]:
        """``n`` independent uniform 64-bit words."""


class SystemNoise:
    """AES-256-CTR keyed from the operating system, anew for each call."""

    secure = True

    def words(self, n: int) -> NDArray[np.uint64]:
        """``n`` independent uniform 64-bit words."""
        return _keystream(os.urandom(32), os.urandom(16), n)


class SeededNoise:
    """A repeatable stream. For tests and synthetic samples only: it protects nobody."""

    secure = False

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(f"latentdp seed {seed}".encode()).digest()
        self._calls = 0

    def words(self, n: int) -> NDArray[np.uint64]:
        """The next ``n`` words of the stream."""
        self._calls += 1
        return _keystream(self._key, self._calls.to_bytes(8, "big") + bytes(8), n)


def _keystream(key: bytes, counter: bytes, n: int) -> NDArray[np.uint64]:
    cipher = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return np.frombuffer(cipher.update(bytes(8 * n)), dtype=np.uint64)
