"""Weights files: safetensors that describe themselves, and the manifest that vouches for them.

A weights file holds the tensors of a network and, in its metadata, the network's configuration
and its model card. Nothing in it can run code. ``weights/manifest.toml`` names each shipped file
with its size and SHA-256, and loading verifies both.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from latentdp.core.documents import from_json
from latentdp.core.filesystem import digest, whole
from latentdp.errors import WeightsError

__all__ = ["Checkpoint", "ShippedWeights", "find", "load", "save", "shipped"]

FORMAT = "latentdp-flow-1"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A weights file in memory.

    Attributes:
        name: Short name (``cxr-adult``) or the file's stem.
        kind: Which network it is: ``glow``, ``octave`` or ``embedding``.
        config: The network's configuration as JSON.
        card: The model card: what it was trained on, how well, and under which licence.
        tensors: Name to array.
        sha256: Digest of the file; empty for one not yet written.
    """

    name: str
    kind: str
    config: str
    card: dict[str, Any]
    tensors: dict[str, NDArray[Any]]
    sha256: str = ""


class ShippedWeights(Struct, frozen=True, kw_only=True):
    """One entry of the manifest.

    Attributes:
        file: Name of the file in the installation.
        sha256: Of the file, in hexadecimal.
        bytes: Size of the file.
        kind: Of the network: ``glow`` or ``embedding``.
        size: Pixels on a side of its images.
        summary: In a line.
    """

    file: str
    sha256: str
    bytes: int
    kind: str
    size: int
    summary: str


def shipped(kind: str = "") -> dict[str, ShippedWeights]:
    """The manifest of the weights in this installation, by name.

    Args:
        kind: Keep only these networks: ``glow`` or ``embedding``; empty for all.
    """
    manifest = resources.files("latentdp._weights") / "manifest.toml"
    values = tomllib.loads(manifest.read_text(encoding="utf-8"))
    listed = from_json(values, dict[str, ShippedWeights], "the manifest of the shipped weights")
    return {name: entry for name, entry in listed.items() if kind in ("", entry.kind)}


def find(name: str) -> Path:
    """Path of shipped weights by name, or of the user's own file by path.

    Raises:
        WeightsError: No such weights, or a shipped file that differs from the manifest.
    """
    manifest = shipped()
    if name in manifest:
        entry = manifest[name]
        path = Path(str(resources.files("latentdp._weights") / entry.file))
        if not path.is_file():
            raise WeightsError(f"weights {name!r} are in the manifest but {path.name} is missing")
        if digest(path) != entry.sha256:
            raise WeightsError(f"weights {name!r}: {path.name} differs from its sha256")
        return path
    path = Path(name)
    if not path.is_file():
        known = ", ".join(sorted(manifest)) or "none"
        raise WeightsError(f"no weights named {name!r} and no such file; shipped are: {known}")
    return path


def load(name: str) -> Checkpoint:
    """Loads weights by name or path.

    Raises:
        WeightsError: Missing, altered, truncated, not finite, or not in our format.
    """
    from safetensors import SafetensorError, safe_open

    path = find(name)
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
        return Checkpoint(
            name=name if name in shipped() else path.stem,
            kind=metadata["kind"],
            config=metadata["config"],
            card=dict(json.loads(metadata["card"])),
            tensors=tensors,
            sha256=digest(path),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise WeightsError(f"{path.name}: its metadata lack the network or its card") from error


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Writes ``checkpoint`` as a weights file, whole or not at all."""
    from safetensors.numpy import save_file

    metadata = {
        "format": FORMAT,
        "kind": checkpoint.kind,
        "config": checkpoint.config,
        "card": json.dumps(checkpoint.card, sort_keys=True),
    }
    tensors = {key: np.asarray(value, order="C") for key, value in checkpoint.tensors.items()}
    with whole(path) as temporary:
        save_file(tensors, str(temporary), metadata=metadata)
        temporary.chmod(0o644)  # weights are public; the library makes private files
