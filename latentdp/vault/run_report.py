"""The private report of a run: one row of JSON for each input."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct, structs

from latentdp.core.documents import from_json, to_json
from latentdp.core.filesystem import read_json_lines, write_text

__all__ = ["SHARED", "ReportRow", "RunReport", "possibly_one_person", "read_report"]

# Of two different files with one SOP Instance UID, at least one is wrong about itself.
SHARED = "same SOP Instance UID as another file of this run, with a different picture"


class ReportRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one input; None is not told.

    Attributes:
        file: Its path below the input folder.
        status: ``released``, ``already``, ``duplicate``, ``beyond`` (what is released of a
            patient) or ``quarantined``.
        output: Where its image lies below the release's images.
        id: Of the output, in the ledger.
        patient: Pseudonym.
        subject: Who is charged, in the ledger: spellings of a patient that may be one person are
            one there.
        epsilon: What the release cost, in nats; not told where something is released exactly: it
            is infinite.
        epsilon_of_noised_part: What was noised cost, where that is not all.
        bits_per_dimension: How unlikely the flow finds the input.
        odd: Whether it is unlike what the flow was trained on.
        reason: Why it has no output, in a word.
        message: The same in a sentence.
        note: What a reader should look at.
    """

    file: str
    status: str
    output: str | None = None
    id: str | None = None
    patient: str | None = None
    subject: str | None = None
    epsilon: float | None = None
    epsilon_of_noised_part: float | None = None
    bits_per_dimension: float | None = None
    odd: bool | None = None
    reason: str | None = None
    message: str | None = None
    note: str | None = None

    def or_else(self, earlier: ReportRow) -> ReportRow:
        """With what an earlier run told of the same image, where this one does not."""
        return structs.replace(
            earlier, **{k: v for k, v in structs.asdict(self).items() if v is not None}
        )


def read_report(path: Path) -> list[ReportRow]:
    """The rows of a report; a torn last one, of a run that died, is passed over.

    Raises:
        InputError: A row is none.
    """
    return [
        from_json(values, ReportRow, "a row of the private report")
        for values in read_json_lines(path)
    ]


def possibly_one_person(rows: Iterable[ReportRow]) -> list[list[ReportRow]]:
    """Rows of patients whose IDs differ in spelling only, first one of each pseudonym."""
    people: dict[str, dict[str, ReportRow]] = {}
    for row in rows:
        if row.subject is not None and row.patient is not None:
            people.setdefault(row.subject, {}).setdefault(row.patient, row)
    return [list(spellings.values()) for spellings in people.values() if len(spellings) > 1]


class RunReport:
    """Rows on the disk as they come; a context manager.

    Args:
        path: File, in the vault.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w", encoding="utf-8")
        self._keys: dict[str, set[str]] = {}
        self._claims: dict[str, str] = {}

    def __enter__(self) -> RunReport:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, row: ReportRow) -> None:
        """Adds the row of one input."""
        self._file.write(_line(row))

    def flush(self) -> None:
        """Hands what was added to the operating system."""
        self._file.flush()

    def claims(self, file: str, instance: str, key: str) -> None:
        """Notes the SOP Instance UID of a file that was read, and the key of its release."""
        if instance:
            self._claims[file] = instance
            self._keys.setdefault(instance, set()).add(key)

    def finish(self) -> None:
        """Marks the rows of different files that claim one SOP Instance UID."""
        self._file.close()
        shared = {instance for instance, keys in self._keys.items() if len(keys) > 1}
        if not shared:
            return
        rows = [
            structs.replace(row, note=SHARED) if self._claims.get(row.file) in shared else row
            for row in read_report(self._path)
        ]
        write_text(self._path, "".join(map(_line, rows)))


def _line(row: ReportRow) -> str:
    return json.dumps(to_json(row)) + "\n"
