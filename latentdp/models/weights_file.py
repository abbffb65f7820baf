"""Weights files: safetensors that describe themselves.

A file holds the tensors of a network and, in its metadata, the network's kind, its configuration
and its card, both as JSON. Nothing in it can run code.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentdp.core.filesystem import digest, whole
from latentdp.errors import WeightsError

__all__ = ["WeightsFile"]

FORMAT = "latentdp-flow-1"


@dataclass(frozen=True, kw_only=True)
class WeightsFile:
    """What is in a weights file.

    Attributes:
        kind: What it is of: ``glow``, ``octave``, ``embedding`` or ``generator``.
        config: The configuration as JSON.
        card: The card as JSON.
        tensors: Name to array.
        sha256: Digest of the file; empty for one not yet written.
    """

    kind: str
    config: str
    card: str
    tensors: dict[str, NDArray[Any]]
    sha256: str = ""

    @classmethod
    def read(cls, path: Path) -> WeightsFile:
        """Reads a file.

        Raises:
            WeightsError: Truncated, not finite, or not in our format.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="numpy") as file:
                metadata = file.metadata() or {}
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no dict)
        except (SafetensorError, OSError) as error:
            raise WeightsError(f"{path.name} is not a readable safetensors file") from error
        if metadata.get("format") != FORMAT:
            raise WeightsError(f"{path.name}: expected format {FORMAT!r} in its metadata")
        for key, tensor in tensors.items():
            if not np.isfinite(tensor.astype(np.float32)).all():
                raise WeightsError(f"{path.name}: tensor {key} has values that are not finite")
        try:
            return cls(
                kind=metadata["kind"],
                config=metadata["config"],
                card=metadata["card"],
                tensors=tensors,
                sha256=digest(path),
            )
        except KeyError as error:
            raise WeightsError(
                f"{path.name}: its metadata lack the network or its card"
            ) from error

    def write(self, path: Path) -> None:
        """Writes a file, whole or not at all."""
        from safetensors.numpy import save as serialized

        metadata = {
            "format": FORMAT,
            "kind": self.kind,
            "config": self.config,
            "card": self.card,
        }
        tensors = {key: np.asarray(value, order="C") for key, value in self.tensors.items()}
        with whole(path) as temporary:
            # Not by the library: what it raises where a disk is full is no OSError.
            temporary.write_bytes(serialized(tensors, metadata=metadata))
