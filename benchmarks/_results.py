"""What a benchmark leaves behind: typed figures, and where, when and how they were measured."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import Formatter
from typing import Self, TypeAlias

import msgspec

from latentdp.core.documents import from_json, read_json
from latentdp.core.filesystem import write_text
from latentdp.metrics.bootstrap import Estimate
from latentdp.privacy.rounding import printed
from latentdp.reports.comparison import Cell

__all__ = [
    "RESULTS",
    "Column",
    "Interval",
    "Machine",
    "Result",
    "Value",
    "markdown",
    "markdown_head",
    "markdown_row",
]

RESULTS = Path(__file__).parent / "results"


class Interval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure and how far it may be off; None where nobody knows how far.

    Attributes:
        value: An estimate, or the median of several rounds.
        low: Lower limit of its 95 % interval, or the smallest round.
        high: Upper limit, or the largest round.
    """

    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, estimate: Estimate | Cell | None) -> Self | None:
        """From an estimate of the library, or a number of a comparison; None of what is none."""
        if estimate is None or estimate.value is None:
            return None
        return cls(estimate.value, estimate.low, estimate.high)

    def __format__(self, form: str) -> str:
        """The value, then in brackets the limits, if there are any.

        Args:
            form: Of each number; after a bar, what stands between the limits: ``+.3f| to ``.
        """
        form, _, between = form.partition("|")
        if self.low is None or self.high is None:
            return format(self.value, form)
        low, high = format(self.low, form), format(self.high, form)
        return f"{self.value:{form}} ({low}{between or '-'}{high})"


Value: TypeAlias = str | int | float | Interval | tuple[float, ...] | None
Row: TypeAlias = dict[str, Value]


class Machine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What it was measured on; None is not known.

    Attributes:
        processor: As it calls itself.
        cores: That the process may use.
        memory: In GB.
        avx512: Whether the processor has it.
        bfloat16: Whether it computes bfloat16 itself.
        accelerator: Its name; empty for none.
        load: Processes that ran or waited at the start, mean of a minute: idle cores measure well.
    """

    processor: str
    cores: int | None = None
    memory: float | None = None
    avx512: bool | None = None
    bfloat16: bool | None = None
    accelerator: str | None = None
    load: float | None = None


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A column of the table that is printed.

    Attributes:
        title: Its head.
        cell: Format of a cell, over the fields of a row: ``"{rate:.1f}"``; an `Interval` takes
            that of its numbers, and ``"{rate.value:.1f}"`` is one of them. ``"{epsilon:up4}"`` is
            a claim, rounded up to 4 digits.
        missing: The cell where the first of these fields is None.
        bare: Whether numbers below one are written without their zero.
    """

    title: str
    cell: str
    missing: str = "-"
    bare: bool = False

    def text(self, row: Mapping[str, Value]) -> str:
        """The cell of a row; further fields that are None are dashes in it.

        Raises:
            KeyError: The row has no such field.
        """
        parts: list[str] = []
        for literal, field, form, _ in Formatter().parse(self.cell):
            parts.append(literal)
            if field is None:
                continue
            name, _, limit = field.partition(".")
            value = row[name]
            if limit and value is not None:
                value = getattr(value, limit)
            if value is None and len(parts) == 1:
                return self.missing
            parts.append("-" if value is None else _formatted(value, form or ""))
        text = "".join(parts)
        return text.replace("0.", ".") if self.bare else text


def _formatted(value: Value, form: str) -> str:
    digits = form.removeprefix("up")
    if digits != form and isinstance(value, (int, float)):
        return printed(value, int(digits))
    return format(value, form)


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Figures of one run of a benchmark.

    Attributes:
        benchmark: Its name: ``engine`` for ``benchmarks/engine.py``.
        command: That measures it again; DATA and FOLDER stand for what it was given.
        date: On which it began.
        commit: Of the code; of figures that were carried over, that which brought them.
        machine: What it ran on.
        packages: Their versions.
        facts: What holds for all rows.
        columns: Of the table that is printed.
        rows: Figures by field; there may be more of them than are printed.
        carried_over: From the documents of an earlier version, where figures are rounded.
        note: What else is known of the run.
    """

    benchmark: str
    command: str
    date: datetime.date
    commit: str
    machine: Machine
    packages: dict[str, str] = {}
    facts: Row = {}
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    carried_over: bool = False
    note: str = ""

    @classmethod
    def read(cls, path: Path) -> Self:
        """From JSON.

        Raises:
            InputError: There is none, or it is no such document.
        """
        return from_json(read_json(path, "the result of a benchmark"), cls, path.name)

    def write(self, path: Path) -> None:
        """As JSON, whole or not at all."""
        write_text(path, self.json())

    def json(self) -> str:
        """One line for each field, column and row, so that changes can be read."""
        fields = []
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if name in ("columns", "rows"):
                fields.append(f'  "{name}": [\n' + ",\n".join(f"    {_line(x)}" for x in value))
                fields[-1] += "\n  ]"
            else:
                fields.append(f'  "{name}": {_line(value)}')
        return "{\n" + ",\n".join(fields) + "\n}\n"

    def table(self) -> str:
        """All rows as Markdown."""
        cells = [[column.text(row) for column in self.columns] for row in self.rows]
        return markdown([column.title for column in self.columns], cells)


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, each line of it ended."""
    return "".join(f"{line}\n" for line in (markdown_head(heads), *map(markdown_row, rows)))


def markdown_head(heads: Sequence[str]) -> str:
    """The first two lines of a table."""
    return f"{markdown_row(heads)}\n|{'---|' * len(heads)}"


def markdown_row(cells: Sequence[str]) -> str:
    """A line of a table."""
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _line(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return msgspec.json.format(text, indent=0)
