"""Labels as hospitals have them: a list of images, examinations or patients, with findings.

What a row is about is found by the names of columns. Where several could tell, the one that tells
most exactly does: a file before an instance, series, study, accession number or patient.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.core.attributes import Attribute
from latentdp.core.system import file_key
from latentdp.core.tables import Record, Table, read_any_table
from latentdp.data.label_names import LabelNames, Unresolved
from latentdp.data.patient_id import normal_form
from latentdp.errors import InputError

if TYPE_CHECKING:
    from latentdp.data.dicom.examination import Examination

__all__ = [
    "DATE_COLUMNS",
    "FILES",
    "KEY_COLUMNS",
    "Key",
    "LabelRow",
    "LabelTable",
    "plain_name",
    "study_date",
]


class Key(StrEnum):
    """What rows are about, the most exact first."""

    FILE = "file"
    INSTANCE = "SOP Instance UID"
    SERIES = "Series Instance UID"
    STUDY = "Study Instance UID"
    ACCESSION = "accession number"
    PATIENT = "patient"


# Names of columns by their small letters and digits alone: "StudyInstanceUID", "study_uid".
FILES = frozenset({"file", "filename", "filepath", "path", "image", "imagefile", "imageindex"})
KEY_COLUMNS: Mapping[Key, frozenset[str]] = {
    Key.FILE: FILES,
    Key.INSTANCE: frozenset({"sopinstanceuid", "sopuid", "instanceuid", "00080018"}),
    Key.SERIES: frozenset({"seriesinstanceuid", "seriesuid", "0020000e"}),
    Key.STUDY: frozenset({"studyinstanceuid", "studyuid", "0020000d"}),
    Key.ACCESSION: frozenset({"accessionnumber", "accession", "accessionno", "accno", "00080050"}),
    Key.PATIENT: frozenset({"patientid", "patient", "mrn", "pid", "subjectid", "00100020"}),
}
DATE_COLUMNS = frozenset({"studydate", "date", "examdate", "examinationdate", "00080020"})
_LABELS = frozenset({"label", "labels", "finding", "findings", "diagnosis", "class"})
_YES = frozenset({"1", "1.0", "true", "yes", "y", "x"})
_NO = frozenset({"", "0", "0.0", "false", "no", "n"})


@dataclass(frozen=True)
class LabelRow:
    """The findings of one image, examination or patient.

    Attributes:
        line: Of the file, counted from 1.
        findings: Names, as they stand there; none where the row is empty.
        says_all: Whether it says of every finding that there is or is not: those without a
            column, too. A column "No Finding" does where it is marked.
    """

    line: int
    findings: tuple[str, ...]
    says_all: bool = False


@dataclass(frozen=True)
class LabelTable:
    """A list of labels.

    Attributes:
        name: Of the file.
        key: What its rows are about.
        dated: Whether a patient's rows are told apart by their dates.
        rows: By key, and by key and date.
        columns: Names of findings that have columns of their own; none where one holds them all.
    """

    name: str
    key: Key
    dated: bool
    rows: Mapping[tuple[str, ...], LabelRow]
    columns: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path, names: LabelNames) -> LabelTable:
        """Reads a CSV.

        Args:
            path: Of the file.
            names: Of findings that may have columns of their own, with 1 and 0 in them; of other
                attributes, such as the view, a column may hold the value.

        Raises:
            InputError: It cannot be read, has no column that says what its rows are about, none
                with findings, or a row that cannot be understood or contradicts another. The
                message names the line, and no value.
        """
        table = read_any_table(path)
        by_role = _Columns.of(path.name, table, names)
        rows: dict[tuple[str, ...], LabelRow] = {}
        for record in table.records:
            key = by_role.key_of(record)
            row = LabelRow(record.line, by_role.findings_of(record), by_role.says_all(record))
            if key is None or not row.findings:  # about nothing, or unknown
                continue
            other = rows.setdefault(key, row)
            if {*other.findings} != {*row.findings} or other.says_all != row.says_all:
                raise InputError(
                    f"{path.name} line {record.line}: the same {by_role.key.value} as in line "
                    f"{other.line} has two different labels; {_apart(by_role)}"
                )
        return cls(path.name, by_role.key, by_role.date is not None, rows, by_role.findings)

    def find(self, names: Sequence[str], said: Examination) -> LabelRow | None:
        """The row about an input.

        Args:
            names: By which a file may be listed, the most exact first.
            said: What its header states.
        """
        if self.key is Key.FILE:
            return next((self.rows[name,] for name in names if (name,) in self.rows), None)
        value = {
            Key.INSTANCE: said.instance,
            Key.SERIES: said.series,
            Key.STUDY: said.study,
            Key.ACCESSION: said.accession,
            Key.PATIENT: said.patient,
        }[self.key]
        return self.rows.get((value, said.date) if self.dated else (value,)) if value else None


def names_in_tables(names: Iterable[str]) -> list[list[str]]:
    """Of each file the names by which a table may list it, as `file_key` gives them.

    The most exact comes first. The last part of a path is one where it is of no other file.

    Args:
        names: Of all files: their paths below the input folder.
    """
    keys = [file_key(name) for name in names]
    last = Counter(key.rpartition("/")[2] for key in keys)
    return [[key, short] if last[short := key.rpartition("/")[2]] == 1 else [key] for key in keys]


@dataclass(frozen=True)
class _Columns:
    """Which columns say what."""

    name: str
    key: Key
    key_column: str
    date: str | None
    label: str | None
    findings: tuple[str, ...]
    names: LabelNames

    @classmethod
    def of(cls, name: str, table: Table, names: LabelNames) -> _Columns:
        plain = {column: plain_name(column) for column in table.columns}

        def the(wanted: Collection[str]) -> str | None:
            named = [column for column in table.columns if plain[column] in wanted]
            if len(named) > 1:
                raise InputError(
                    f"{name}: expected one column of {', '.join(sorted(wanted))}, got {len(named)}"
                )
            return named[0] if named else None

        keys = {key: column for key, wanted in KEY_COLUMNS.items() if (column := the(wanted))}
        if not keys:
            raise InputError(
                f"{name}: expected a column that says what its rows are about: file, "
                "SOPInstanceUID, SeriesInstanceUID, StudyInstanceUID, AccessionNumber or "
                "PatientID (with StudyDate); there is none"
            )
        key, key_column = next(iter(keys.items()))
        label = the(_LABELS)
        findings = () if label else tuple(c for c in table.columns if c.strip() and names.knows(c))
        if not label and not findings:
            raise InputError(
                f"{name}: expected a column label, or columns that are named as findings, with 1 "
                f"and 0 in them; there is none. Findings are {', '.join(names.findings)}, and "
                "those that --label-map names"
            )
        twice = [c for c, n in Counter(table.columns).items() if n > 1 and c in findings]
        if twice:
            raise InputError(f"{name}: expected one column for each finding, got one twice")
        date = the(DATE_COLUMNS) if key is Key.PATIENT else None
        return cls(name, key, key_column, date, label, findings, names)

    def key_of(self, record: Record) -> tuple[str, ...] | None:
        """What a row is about; None where that is empty."""
        value = record.values[self.key_column].strip()
        if not value:
            return None
        if self.key is Key.FILE:
            return (file_key(value),)
        value = normal_form(value)  # as identifiers of a header are read
        return (value,) if self.date is None else (value, self._date(record))

    def findings_of(self, record: Record) -> tuple[str, ...]:
        """Names of findings, and words of other attributes that have a column."""
        named = self._named(record)
        if not named:
            return ()
        columns = {plain_name(column): column for column in record.values}
        others = [one for one in self.names.space.attributes if one.name and not one.is_finding]
        return (*named, *filter(None, (self._word(one, columns, record) for one in others)))

    def says_all(self, record: Record) -> bool:
        """Whether it says of every finding that there is or is not."""
        if self.label is not None:
            return True
        marked = [c for c in self.findings if record.values[c].strip().lower() in _YES]
        return any(self._speaks_of_all(column) for column in marked)

    def _speaks_of_all(self, column: str) -> bool:
        meaning = self.names.resolve(column, "")
        return not isinstance(meaning, Unresolved) and len(meaning) > 1

    def _named(self, record: Record) -> tuple[str, ...]:
        if self.label is not None:
            parts = re.split(r"[;|]", record.values[self.label])
            return tuple(part.strip() for part in parts if part.strip())
        marked = {column: record.values[column].strip().lower() for column in self.findings}
        if not {*marked.values()} <= _YES | _NO:
            raise InputError(
                f"{self.name} line {record.line}: expected 1, 0 or nothing in the column of a "
                "finding, got another value; decide what is uncertain"
            )
        named = tuple(column for column, mark in marked.items() if mark in _YES)
        # Where each finding is there or not, a row of zeros says something; one of blanks nothing.
        if not named and self.names.space.findings and any(marked.values()):
            return (self.names.space.none,)
        return named

    def _word(self, attribute: Attribute, columns: Mapping[str, str], record: Record) -> str:
        """What the column of an attribute says; empty where there is none, or nothing in it."""
        column = columns.get(plain_name(attribute.name))
        return "" if column is None else self.names.space.value(attribute, record.values[column])

    def _date(self, record: Record) -> str:
        assert self.date is not None
        date = study_date(record.values[self.date])
        if date is None:
            raise InputError(
                f"{self.name} line {record.line}: expected a date as 2024-05-31 or 20240531 in "
                f"the column {self.date!r}, got another form"
            )
        return date


def plain_name(column: str) -> str:
    """A column's name by its small letters and digits alone, as `KEY_COLUMNS` has it."""
    return re.sub(r"[^a-z0-9]", "", column.lower())


def study_date(text: str) -> str | None:
    """A date of a list, 2024-05-31 or 20240531, as DICOM has it; None for another form."""
    date = re.fullmatch(r"(\d{4})-?(\d{2})-?(\d{2})([T ].*)?", text.strip())
    return None if date is None else "".join(date.groups()[:3])


def _apart(columns: _Columns) -> str:
    if columns.key is Key.PATIENT and columns.date is None:
        return "a column StudyDate or AccessionNumber tells a patient's examinations apart"
    return "several findings go into one row, separated by ;"
