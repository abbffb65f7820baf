"""More about a number than the number: curves, attempts, notes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from latentdp.core.documents import JsonValue, to_json
from latentdp.metrics.identification import CmcCurve
from latentdp.metrics.verification import RocCurve

__all__ = ["Detail"]


class Detail(Mapping[str, JsonValue]):
    """More about a number, by name: JSON values, of which pages draw the attributes below.

    A plug-in may add whatever explains its number; nobody decides anything by that.

    Args:
        values: By name. Numbers of numpy become Python's, what is not finite becomes None.

    Attributes:
        restarts: AUC of each attempt to learn; empty where nothing was tried several times.
        together: AUC of all attempts added up; empty where they were not.
        roc: Of verification.
        cmc: Of a search.
        gallery: Number of images that were searched.
        seeds: Number of readers that were averaged.
        best: Name of the opponent who reached the number.
        learnt_with: Whose labels a reader was taught with: ``true findings``.
        notes: Sentences.

    Raises:
        TypeError: A value is none of JSON, or one of these is of another type.
        ValueError: A curve is incomplete.

    Example:
        >>> Detail({"gallery": 954, "restarts": [0.5, 0.6]}).restarts
        (0.5, 0.6)
    """

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        self._values: dict[str, JsonValue] = {
            str(name): _plain(value) for name, value in (values or {}).items()
        }
        self.restarts, self.together = (
            tuple(a for a in self._as(name, tuple[float | None, ...], ()) if a is not None)
            for name in ("restarts", "together")
        )
        self.roc: RocCurve | None = self._as("roc", RocCurve | None, None)
        self.cmc: CmcCurve | None = self._as("cmc", CmcCurve | None, None)
        self.gallery: int | None = self._as("gallery", int | None, None)
        if self.gallery is None and self.cmc is not None:
            self.gallery = self.cmc.gallery
        seeds = self._as("seeds", int | list[float | None] | None, None)
        self.seeds: int | None = len(seeds) if isinstance(seeds, list) else seeds
        self.best: str | None = self._as("best", str | None, None)
        self.learnt_with: str | None = self._as("learnt_with", str | None, None)
        sentences = (self._values.get(name) for name in ("how", "note"))
        self.notes: tuple[str, ...] = tuple(note for note in sentences if isinstance(note, str))

    def _as(self, name: str, kind: Any, default: Any) -> Any:
        value = self._values.get(name)
        return default if value is None else msgspec.convert(value, kind)

    def __getitem__(self, name: str) -> JsonValue:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Detail({self._values!r})"

    def to_json_value(self) -> dict[str, JsonValue]:
        """The values."""
        return self._values

    @classmethod
    def from_json_value(cls, values: object) -> Detail:
        """The inverse of `to_json_value`; raises TypeError for what is no such object."""
        if not isinstance(values, dict):
            raise TypeError(f"expected an object, got a {type(values).__name__}")
        return cls(values)


def _plain(value: object) -> JsonValue:
    """JSON values: numbers of numpy become Python's, NaN and infinities None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Struct):
        return _plain(to_json(value))
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, Sequence):
        return [_plain(part) for part in value]
    raise TypeError(f"expected a JSON value, got a {type(value).__name__}")
