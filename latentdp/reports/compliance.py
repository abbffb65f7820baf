"""The compliance manifest: what was done to the data, each action beside the clauses it is about.

``compliance.json`` lies beside the card and is public. It follows from the card alone, so it tells
nothing that the card does not. Its entries are a chain: each holds the SHA-256 of the one before,
the first that of the manifest's own header, and the last one's stands on the card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Self

from msgspec import Struct, structs

from latentdp.core.documents import JsonValue, from_json, read_json, to_json

__all__ = ["COMPLIANCE", "ComplianceAction", "ComplianceEntry", "ComplianceManifest"]

COMPLIANCE = "compliance.json"
SCHEMA = "latentdp-compliance-1"
STANDARDS = (
    "DICOM PS3.15 Annex E",
    "Regulation (EU) 2016/679 (GDPR)",
    "45 CFR 164.514 (HIPAA)",
)


class ComplianceAction(Struct, frozen=True, kw_only=True):
    """One thing that was done.

    Attributes:
        action: Its name, which stays the same in every version.
        what: In a sentence, in English.
        attributes: Of an output that it is about, by keyword; empty where it is about none.
        dicom: Clauses of PS3.15 that it follows or, where it passes something on, applies.
        gdpr: Articles and recitals that it serves or, where it passes something on, touches.
        hipaa: Paragraphs of 45 CFR, likewise.
        passes_on: Whether something of the source goes on, outside of any guarantee.
        checked_by: Who can check it, and how.
    """

    action: str
    what: str
    attributes: tuple[str, ...] = ()
    dicom: tuple[str, ...] = ()
    gdpr: tuple[str, ...] = ()
    hipaa: tuple[str, ...] = ()
    passes_on: bool = False
    checked_by: str = ""


class ComplianceEntry(ComplianceAction, frozen=True, kw_only=True):
    """An action in its place in the chain.

    Attributes:
        number: Counted from 1.
        previous: SHA-256 of the entry before, in hexadecimal; of the header before the first.
        sha256: Of this entry without this field: its JSON with sorted keys, without blanks, in
            ASCII.
    """

    number: int
    previous: str
    sha256: str = ""


class ComplianceManifest(Struct, frozen=True, kw_only=True):
    """All that was done.

    Attributes:
        tool: ``latentdp``.
        schema: Of this file.
        version: Of the program.
        standards: Whose clauses are named.
        release: Random identifier of the release or synthesis.
        recipe: SHA-256 of what was asked for, in hexadecimal; empty for a synthesis.
        entries: In the order in which they are done.

    Example:
        >>> done = ComplianceAction(action="uids-replaced", what="UIDs are replaced.")
        >>> manifest = ComplianceManifest.of([done], version="0.1", release="ab", recipe="")
        >>> manifest.whole, manifest.head == manifest.entries[-1].sha256
        (True, True)
    """

    tool: Literal["latentdp"]
    schema: Literal["latentdp-compliance-1"]
    version: str
    standards: tuple[str, ...]
    release: str
    recipe: str
    entries: tuple[ComplianceEntry, ...]

    @classmethod
    def of(
        cls, actions: Iterable[ComplianceAction], *, version: str, release: str, recipe: str
    ) -> Self:
        """The manifest of some actions, chained."""
        manifest = cls(
            tool="latentdp",
            schema="latentdp-compliance-1",
            version=version,
            standards=STANDARDS,
            release=release,
            recipe=recipe,
            entries=(),
        )
        entries: list[ComplianceEntry] = []
        for number, action in enumerate(actions, 1):
            previous = entries[-1].sha256 if entries else manifest.start
            said = {name: getattr(action, name) for name in ComplianceAction.__struct_fields__}
            entry = ComplianceEntry(**said, number=number, previous=previous)
            entries.append(structs.replace(entry, sha256=_digest(entry)))
        return structs.replace(manifest, entries=tuple(entries))

    @classmethod
    def read(cls, path: Path) -> Self:
        """From a file.

        Raises:
            InputError: There is none, or it is of another schema.
        """
        what = "a compliance manifest"
        return from_json(read_json(path, what), cls, "the compliance manifest")

    def to_json(self) -> dict[str, JsonValue]:
        """JSON values, in the order of the file."""
        return to_json(self)  # type: ignore[no-any-return]

    @property
    def start(self) -> str:
        """Digest of all but the entries."""
        header = to_json(self)
        del header["entries"]
        return _sha256(header)

    @property
    def head(self) -> str:
        """Digest of the last entry, which depends on all others."""
        return self.entries[-1].sha256 if self.entries else self.start

    @property
    def whole(self) -> bool:
        """Whether no entry was altered, removed, inserted or moved since the head was written."""
        previous = self.start
        for number, entry in enumerate(self.entries, 1):
            if (entry.number, entry.previous) != (number, previous):
                return False
            if entry.sha256 != _digest(entry):
                return False
            previous = entry.sha256
        return True


def _digest(entry: ComplianceEntry) -> str:
    stated = to_json(entry)
    del stated["sha256"]
    return _sha256(stated)


def _sha256(values: dict[str, JsonValue]) -> str:
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))  # in ASCII
    return hashlib.sha256(text.encode("ascii")).hexdigest()
