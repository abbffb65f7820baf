"""JSON documents as typed values: checked once when they are read, written with the same keys.

A document is a `msgspec.Struct`. A class that msgspec does not know says itself how it stands in
JSON, by ``to_json_value`` and ``from_json_value``. Untyped values enter and leave here alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import msgspec
import numpy as np

from latentdp.errors import InputError

__all__ = ["JsonValue", "from_json", "read_json", "to_json"]

JsonValue: TypeAlias = (
    bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None
)

Document = TypeVar("Document")


def read_json(path: Path, what: str) -> Any:
    """The values of a JSON file without NaN and infinities, which no document of ours holds.

    Args:
        path: Of the file.
        what: It is expected to be, for the message: ``a release card``.

    Raises:
        InputError: There is no file, or it is no such JSON.
    """

    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"expected {what}; there is none that can be read") from error


def from_json(values: object, kind: type[Document], what: str) -> Document:
    """A document from JSON values.

    Args:
        values: As `json.loads` gives them.
        kind: Of the document. Keys that it does not have are of a later version, and left out.
        what: It is expected to be, for the message: ``the release card``.

    Raises:
        InputError: Something is missing, or of another type than it must be.
    """
    try:
        return msgspec.convert(values, kind, dec_hook=_decoded)
    except msgspec.ValidationError as error:
        message = str(error)
        raise InputError(
            f"{what} is incomplete or of another version: {message[:1].lower()}{message[1:]}"
        ) from error
    except RecursionError:
        raise InputError(f"{what} is nested too deeply") from None


def to_json(document: object) -> Any:
    """The values of a document for `json.dumps`; what is unset is left out.

    Numbers of numpy become Python's.
    """
    return msgspec.to_builtins(document, enc_hook=_encoded)


def _decoded(kind: Any, value: object) -> object:
    return kind.from_json_value(value)


def _encoded(value: Any) -> object:
    return value.item() if isinstance(value, np.generic) else value.to_json_value()
