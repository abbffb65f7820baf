"""Tables as CSV files: one way to read them, and one to write them."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from latentdp.core.filesystem import write_text
from latentdp.errors import InputError

__all__ = ["Record", "Table", "read_any_table", "read_table", "write_table"]

# Spreadsheets write what their language has for a list; the first that the header holds counts.
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}


class Record(NamedTuple):
    """One row of a table.

    Attributes:
        line: Where it ends in the file, counted from 1.
        values: By column, as they stand there; each column of the header has one.
    """

    line: int
    values: dict[str, str]


class Table(NamedTuple):
    """A whole table.

    Attributes:
        columns: Of the header, as they stand there.
        records: The rows.
    """

    columns: tuple[str, ...]
    records: list[Record]


def read_table(path: Path, columns: Sequence[str]) -> list[Record]:
    """Reads a CSV file that has certain columns.

    Args:
        path: As for `read_any_table`.
        columns: Those that it must have, among any others.

    Raises:
        InputError: As `read_any_table`, or it lacks a column or has it twice.
    """
    return read_any_table(path, columns).records


def read_any_table(path: Path, columns: Sequence[str] = ()) -> Table:
    """Reads a CSV file that begins with a header. Blank lines are passed over.

    Args:
        path: The file, in UTF-8, with or without a byte order mark; its fields are separated by
            commas, or by semicolons or tabs if the header holds no comma.
        columns: Those that it must have, among any others.

    Raises:
        InputError: The file cannot be read, is not UTF-8, lacks a column or has it twice, or a
            row has a stray quote or another number of fields than the header. The message names
            the line, and never a value.
    """
    text = _text(path)
    delimiter = next((d for d in _DELIMITERS if d in text.partition("\n")[0]), ",")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    records: list[Record] = []
    begins = 1  # the line of a row; one whose quote has no partner ends with the file
    try:
        header = next(reader, [])
        _check(path, header, columns)
        begins = reader.line_num + 1
        for fields in reader:
            begins = reader.line_num + 1
            if not fields:
                continue
            # Some programs add empty fields at the end.
            if len(fields) < len(header) or any(fields[len(header) :]):
                raise InputError(
                    f"{path.name} line {reader.line_num}: expected {len(header)} fields, as in "
                    f"the header, got {len(fields)}; a field that holds a "
                    f"{_DELIMITERS[delimiter]} needs quotes"
                )
            records.append(Record(reader.line_num, dict(zip(header, fields, strict=False))))
    except csv.Error as error:
        raise InputError(
            f"{path.name} line {begins}: expected a row of CSV; a quote has no partner or stands "
            "in the middle of a field, or a field is too long"
        ) from error
    return Table(tuple(header), records)


def write_table(
    path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]], *, mode: int = 0o666
) -> None:
    """Writes a CSV file, whole or not at all, of this mode less the umask."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue(), mode=mode)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise InputError(f"{path} is not a readable CSV file ({error.strerror})") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path.name} line {line}: expected text in UTF-8; save the file as CSV UTF-8"
        ) from error


def _check(path: Path, header: Sequence[str], columns: Sequence[str]) -> None:
    wanted = f"{path.name}: expected the columns {' and '.join(columns)}; it"
    count = Counter(header)
    for name in columns:
        if not count[name]:
            raise InputError(f"{wanted} lacks the column {name!r}")
        if count[name] > 1:
            raise InputError(f"{wanted} has the column {name!r} twice")
