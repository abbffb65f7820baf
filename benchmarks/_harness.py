"""What all benchmarks share: their options, what they print and keep, and how they take times.

A benchmark is a script with ``main(arguments)``: it asks `parser` for the usual options, adds its
own, and hands its figures, row by row, to a `Report`, which prints them as a table and writes them
as a `Result`.
"""

from __future__ import annotations

import argparse
import datetime
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeVar

import numpy as np
from _machine import commit, machine, packages
from _results import Column, Interval, Result, Value, markdown_head, markdown_row

from latentdp.core.cache import closed
from latentdp.core.progress import ProgressCallback

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = [
    "Report",
    "parse",
    "parser",
    "progress",
    "ratios",
    "side_by_side",
    "spread",
    "state_folder",
]

STDOUT = Path("-")
Name = TypeVar("Name", bound=Hashable)


def parser(
    benchmark: str,
    description: str | None,
    *,
    data: bool = False,
    state: Literal["required", "optional"] | None = None,
    seed: bool = False,
    threads: bool = False,
) -> argparse.ArgumentParser:
    """The options that a benchmark shares with others; it adds its own.

    Args:
        benchmark: Name of the script, without its suffix.
        description: Its docstring.
        data: Whether it takes DATA.
        state: Whether it goes on from a folder, and whether it must.
        seed: Whether it takes one.
        threads: Whether it may use several.
    """
    options = argparse.ArgumentParser(
        prog=f"benchmarks/{benchmark}.py",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.set_defaults(benchmark=benchmark)
    if data:
        options.add_argument("data", type=Path, help="folder with manifest.csv")
    if state == "required":
        options.add_argument("--state", type=Path, required=True, help="folder to go on from")
    elif state == "optional":
        options.add_argument(
            "--state", type=Path, help="folder to go on from; by default none is kept"
        )
    if seed:
        options.add_argument("--seed", type=int, default=0)
    if threads:
        options.add_argument("--threads", type=int, default=1)
    options.add_argument(
        "--json",
        type=Path,
        nargs="?",
        const=STDOUT,
        metavar="FILE",
        help="write the result there; without FILE print it in place of the table",
    )
    return options


def parse(
    options: argparse.ArgumentParser, arguments: Sequence[str] | None = None
) -> argparse.Namespace:
    """The options as given, or those of the command line; with ``command``, to repeat it."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parsed = options.parse_args(given)
    parsed.command = shlex.join(["python", options.prog, *given])
    return parsed


class Report:
    """Prints rows as a table as they come, and keeps them in a `Result`.

    Use it as a context: entering prints the introduction and the table's head. With ``--json
    FILE`` the file is written anew after each row, so that an interrupted run leaves what it has.

    Args:
        options: From `parse`.
        columns: Of the table.
        intro: What is printed above it.
        facts: What holds for all rows.
        table: Whether rows are printed as they are; a benchmark may print them in another shape.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        columns: Sequence[Column],
        *,
        intro: str = "",
        facts: Mapping[str, Value] | None = None,
        table: bool = True,
    ) -> None:
        self._path: Path | None = options.json
        self._intro, self._table = intro, table
        self.facts = dict(facts or {})
        self.rows: list[dict[str, Value]] = []
        self._columns = tuple(columns)
        self._options = options
        self._machine, self._commit = machine(), commit()
        self._date = datetime.datetime.now(datetime.UTC).date()

    def __enter__(self) -> Self:
        if self._intro:
            self.say(f"{self._intro}\n")
        if self._table:
            self.say(markdown_head([column.title for column in self._columns]))
        return self

    def add(self, row: DataclassInstance) -> None:
        """A frozen dataclass of numbers, words and intervals."""
        self.extend([row])

    def extend(self, rows: Iterable[DataclassInstance]) -> None:
        """Several rows at once."""
        for row in rows:
            self.rows.append({field.name: getattr(row, field.name) for field in fields(row)})
            if self._table:
                cells = [column.text(self.rows[-1]) for column in self._columns]
                self.say(markdown_row(cells))
        self._write()

    def say(self, text: str) -> None:
        """Prints, unless the result goes where it would be printed."""
        if self._path != STDOUT:
            print(text, flush=True)

    @property
    def result(self) -> Result:
        """What there is so far."""
        return Result(
            benchmark=self._options.benchmark,
            command=self._options.command,
            date=self._date,
            commit=self._commit,
            machine=self._machine,
            packages=packages(),
            facts=self.facts,
            columns=self._columns,
            rows=tuple(self.rows),
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            return
        self._write()
        if self._path == STDOUT:
            print(self.result.json(), end="")

    def _write(self) -> None:
        if self._path not in (None, STDOUT):
            self.result.write(self._path)


@contextmanager
def state_folder(folder: Path | None) -> Iterator[Path]:
    """A folder to go on from, closed to others; None for one that is removed in the end."""
    if folder is not None:
        yield closed(folder)
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)


def progress(label: str = "") -> ProgressCallback:
    """Says on standard error what is being done: every tenth, and every new thing."""
    said: tuple[str, int] | None = None

    def tell(share: float, words: str) -> None:
        nonlocal said
        now = (words.split(":")[0], int(10 * share))
        if now != said:
            said = now
            about = f"{label}: {words}" if label else words
            print(f"{about}, {share:.0%}", file=sys.stderr, flush=True)

    return tell


def side_by_side(
    works: Mapping[Name, Callable[[], object]],
    repeats: int,
    clock: Callable[[], float] | None = None,
) -> dict[Name, tuple[float, ...]]:
    """Seconds of each work in each round, after one that is not counted.

    All are asked in turn, round by round, so that what else the machine does falls on all.
    """
    now = clock or time.perf_counter
    seconds: dict[Name, list[float]] = {name: [] for name in works}
    for turn in range(repeats + 1):
        for name, work in works.items():
            began = now()
            work()
            if turn:
                seconds[name].append(now() - began)
    return {name: tuple(times) for name, times in seconds.items()}


def spread(values: Sequence[float]) -> Interval:
    """Median, smallest and largest of the rounds."""
    return Interval(float(np.median(values)), float(min(values)), float(max(values)))


def ratios(seconds: Sequence[float], base: Sequence[float]) -> Interval:
    """How many times as fast as the base in the same round."""
    return spread([b / s for s, b in zip(seconds, base, strict=True)])
