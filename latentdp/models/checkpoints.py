"""Weights by name or path: a network's tensors, its configuration and its model card.

``weights/manifest.toml`` vouches for the shipped files: it names each one with its size and
SHA-256, and loading verifies the digest.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from msgspec import Struct
from numpy.typing import NDArray

from latentdp.core.documents import JsonValue, from_json, to_json
from latentdp.core.filesystem import digest
from latentdp.errors import InputError, WeightsError
from latentdp.models.model_card.card import ModelCard
from latentdp.models.weights_file import WeightsFile

__all__ = ["Checkpoint", "ShippedWeights", "check_name", "find", "load", "save", "shipped"]

NETWORKS = ("glow", "octave", "refiner", "embedding")  # kinds whose card is a model card


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A weights file in memory.

    Attributes:
        name: Short name (``cxr-adult``) or the file's stem.
        kind: Which network it is: ``glow``, ``octave``, ``refiner`` or ``embedding``.
        config: The network's configuration as JSON.
        card: The model card: what it was trained on, how well, and what lies beside it.
        tensors: Name to array.
        sha256: Digest of the file; empty for one not yet written.
        other_entries: Of the card, what this version does not know; it is kept as it is.
    """

    name: str
    kind: str
    config: str
    card: ModelCard
    tensors: dict[str, NDArray[Any]]
    sha256: str = ""
    other_entries: Mapping[str, JsonValue] = field(default_factory=dict)


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


def check_name(name: str) -> None:
    """Refuses a name that is neither shipped weights nor a file, without reading any.

    Raises:
        WeightsError: There are no such weights.
    """
    manifest = shipped()
    if name not in manifest and not Path(name).is_file():
        known = ", ".join(sorted(manifest)) or "none"
        raise WeightsError(f"no weights named {name!r} and no such file; shipped are: {known}")


def find(name: str) -> Path:
    """Path of shipped weights by name, or of the user's own file by path.

    Raises:
        WeightsError: No such weights, or a shipped file that differs from the manifest.
    """
    check_name(name)
    manifest = shipped()
    if name in manifest:
        entry = manifest[name]
        path = Path(str(resources.files("latentdp._weights") / entry.file))
        if not path.is_file():
            raise WeightsError(f"weights {name!r} are in the manifest but {path.name} is missing")
        if digest(path) != entry.sha256:
            raise WeightsError(f"weights {name!r}: {path.name} differs from its sha256")
        return path
    return Path(name)


def load(name: str) -> Checkpoint:
    """Loads weights by name or path.

    Raises:
        WeightsError: Missing, altered, truncated, not finite, or not in our format.
    """
    path = find(name)
    file = WeightsFile.read(path)
    try:
        entries = json.loads(file.card)
        if not isinstance(entries, dict):
            raise TypeError(type(entries))  # noqa: TRY301 (the message is that of the others)
        card = ModelCard()
        if file.kind in NETWORKS:
            card = from_json(entries, ModelCard, f"{path.name}: the model card")
    except InputError as error:
        raise WeightsError(str(error)) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise WeightsError(f"{path.name}: its model card cannot be read") from error
    known = to_json(card)
    return Checkpoint(
        name=name if name in shipped() else path.stem,
        kind=file.kind,
        config=file.config,
        card=card,
        tensors=file.tensors,
        sha256=file.sha256,
        other_entries={key: value for key, value in entries.items() if key not in known},
    )


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Writes ``checkpoint`` as a weights file, whole or not at all."""
    card = {**checkpoint.other_entries, **to_json(checkpoint.card)}
    WeightsFile(
        kind=checkpoint.kind,
        config=checkpoint.config,
        card=json.dumps(card, sort_keys=True),
        tensors=checkpoint.tensors,
    ).write(path)
