"""Which studies are asked for: by modality and date, and one by one from a list.

What tells a patient stands in a file, not on a command line, which others on a machine can read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.core.tables import Record, read_any_table
from latentdp.data.label_table import DATE_COLUMNS, KEY_COLUMNS, Key, plain_name, study_date
from latentdp.data.patient_id import normal_form
from latentdp.errors import InputError

if TYPE_CHECKING:
    from latentdp.archives.archive import Study

__all__ = ["MODALITIES", "StudyFilter", "StudyQuery", "read_list"]

MODALITIES = ("CR", "DX")  # those of radiographs

_COLUMNS = {
    "StudyInstanceUID": KEY_COLUMNS[Key.STUDY],
    "AccessionNumber": KEY_COLUMNS[Key.ACCESSION],
    "PatientID": KEY_COLUMNS[Key.PATIENT],
    "StudyDate": DATE_COLUMNS,
}
_WILD = frozenset("*?\\")  # PS3.4 C.2.2.2: what would ask for more than one


@dataclass(frozen=True, kw_only=True)
class StudyQuery:
    """One question to an archive.

    Attributes:
        keys: Keyword of DICOM to the value that a study must have; a date may be a range.
        modality: One that a series of it must have.
    """

    keys: Mapping[str, str]
    modality: str

    def fits(self, study: Study) -> bool:
        """Whether a study is what was asked for: an archive may ignore a key."""
        said = {
            "StudyInstanceUID": study.uid,
            "AccessionNumber": study.accession,
            "PatientID": study.patient,
        }
        same = all(
            _same(said[keyword], value) for keyword, value in self.keys.items() if keyword in said
        )
        return same and _within(study.date, self.keys.get("StudyDate", ""))


@dataclass(frozen=True, kw_only=True)
class StudyFilter:
    """All questions.

    Attributes:
        modalities: Of the series that are wanted, `MODALITIES` by default.
        first: Earliest study date; None for any.
        last: Latest study date; None for any.
        rows: From `read_list`; None for no list.
        everything: A person wants whatever the archive has of these modalities.

    Raises:
        InputError: It would ask for a whole archive, or for nothing.
    """

    modalities: tuple[str, ...] = MODALITIES
    first: date | None = None
    last: date | None = None
    rows: tuple[Mapping[str, str], ...] | None = field(default=None, repr=False)
    everything: bool = False

    def __post_init__(self) -> None:
        for modality in self.modalities:
            if not (0 < len(modality) <= 16 and modality.isalnum() and modality.isupper()):
                raise InputError("expected a modality as CR or DX, in capital letters")
        if not self.modalities:
            raise InputError("expected at least one modality")
        if self.first and self.last and self.first > self.last:
            raise InputError("expected the first date to be no later than the last one")
        narrowed = self.rows is not None or self.first or self.last
        if not narrowed and not self.everything:
            raise InputError(
                "say which studies: --from and --to (dates), --list CSV (patients, accession "
                "numbers or study UIDs), or --all for whatever the archive has of the modalities"
            )
        if narrowed and self.everything:
            raise InputError("give --all, or --from, --to and --list, not both")

    def queries(self) -> Iterator[StudyQuery]:
        """One for each row and modality: an archive need not understand several values."""
        dates = _range(self.first, self.last)
        for row in ({},) if self.rows is None else self.rows:
            keys = {"StudyDate": dates} if dates else {}
            day = row.get("StudyDate")
            if day is not None and not _within(day, dates):
                continue
            for modality in self.modalities:
                yield StudyQuery(keys={**keys, **row}, modality=modality)


def read_list(path: Path) -> tuple[Mapping[str, str], ...]:
    """Reads a CSV whose rows each name a study, or all of a patient.

    Args:
        path: Its columns are found by their names: StudyInstanceUID, AccessionNumber, PatientID
            and StudyDate, as those of a list of labels. What a row leaves empty is not asked.

    Returns:
        Keyword to value for each row, without repetition.

    Raises:
        InputError: It cannot be read or holds no such column, or a row is empty, holds a wildcard
            or a date in another form. The message names the line, and no value.
    """
    table = read_any_table(path)
    columns: dict[str, str] = {}
    for keyword, names in _COLUMNS.items():
        named = [column for column in table.columns if plain_name(column) in names]
        if len(named) > 1:
            raise InputError(f"{path.name}: expected one column for {keyword}, got {len(named)}")
        if named:
            columns[keyword] = named[0]
    if not columns.keys() - {"StudyDate"}:
        raise InputError(
            f"{path.name}: expected a column StudyInstanceUID, AccessionNumber or PatientID; "
            "there is none"
        )
    rows = [_row(path.name, record, columns) for record in table.records]
    if not rows:
        raise InputError(f"{path.name}: expected at least one row below the header, got none")
    return tuple(dict(row) for row in dict.fromkeys(tuple(row.items()) for row in rows))


def _row(name: str, record: Record, columns: Mapping[str, str]) -> dict[str, str]:
    row = {key: normal_form(record.values[column]) for key, column in columns.items()}
    row = {keyword: value for keyword, value in row.items() if value}
    if not row.keys() - {"StudyDate"}:
        raise InputError(
            f"{name} line {record.line}: expected a value that tells a study or patient"
        )
    if any(_WILD & set(value) for value in row.values()):
        raise InputError(
            f"{name} line {record.line}: expected one study or patient, got *, ? or a backslash, "
            "which ask for several"
        )
    if "StudyDate" in row:
        day = study_date(row["StudyDate"])
        if day is None:
            raise InputError(
                f"{name} line {record.line}: expected a date as 2024-05-31 or 20240531, got "
                "another form"
            )
        row["StudyDate"] = day
    return row


def _range(first: date | None, last: date | None) -> str:
    """A range of dates, PS3.4 C.2.2.2.5; "" for all."""
    if first is None and last is None:
        return ""
    return "-".join(day.strftime("%Y%m%d") if day else "" for day in (first, last))


def _within(day: str, dates: str) -> bool:
    """Whether a date is one, or in a range; everything is in no range."""
    first, dash, last = dates.partition("-")
    if not dash:
        return not dates or day == dates
    return bool(day) and (not first or first <= day) and (not last or day <= last)


def _same(said: str, asked: str) -> bool:
    """Identifiers without padding; archives differ in whether case counts."""
    return normal_form(said).casefold() == asked.casefold()
