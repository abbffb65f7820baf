"""How fast whole runs are beside tools that change headers alone, and what was aimed at.

    python benchmarks/speed.py [--files 400] [--height 2500] [--width 2000] [--repeats 5]
        [--tools dicognito dicom-anonymizer] [--place FOLDER] [--json FILE]

`latentdp privatize` as a user calls it, start-up, ledger and all pages included, over synthetic
uncompressed files, each another patient's (16 bits, 12 stored). The tools of ``--tools``
de-identify headers and nothing else (extra ``peers``). All run in turn on the same files, round by
round, and ratios are those of one round, to the faster of the tools in it. Figures are medians
with the smallest and largest round.

Files a second are those of whole runs, and depend on what else the machine does; processor time
does so least. "A file more" is what a further file costs, start and pages aside: the difference to
a run over a quarter of the files.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from _harness import Report, parse, parser, spread
from _radiographs import make_radiographs
from _results import Column, Interval
from _usage import Usage, usage_of
from folders import TOOLS

SMALL = ("--size", "64", "--candidates", "1")
OURS = {  # by name: words of the command, and files a second that were aimed at
    "`--size 64 --candidates 1`": (SMALL, None),
    "`--size 64 --candidates 1 --workers 2`": ((*SMALL, "--workers", "2"), 100),
    "as it comes, `--workers 2`": (("--workers", "2"), 45),
}
COLUMNS = (
    Column("command", "{command}"),
    Column("files/s", "{rate:.1f}"),
    Column("aimed at", "{target:.0f}", missing=""),
    Column("of the faster tool", "{ratio:.2f}"),
    Column("ms of processor, a file", "{cpu:.1f}"),
    Column("a file more", "{marginal:.1f}"),
    Column("of the faster tool's", "{cpu_ratio:.2f}"),
    Column("largest process, MB", "{peak:,.0f}"),
)


@dataclass(frozen=True)
class Row:
    """One command.

    Attributes:
        command: A tool, or our options.
        rate: Files a second of whole runs.
        target: What was aimed at; None for nothing.
        ratio: Its rate to that of the faster tool of the round; None without tools.
        cpu: Milliseconds of processors of whole runs, a file.
        marginal: Likewise of a file more.
        cpu_ratio: `marginal` to the least of the tools.
        peak: Resident set of the largest process in MB, of all rounds.
    """

    command: str
    rate: Interval
    target: float | None
    ratio: Interval | None
    cpu: Interval
    marginal: Interval
    cpu_ratio: Interval | None
    peak: float


@dataclass(frozen=True)
class Round:
    """One command on all files and on a quarter of them.

    Attributes:
        files: How many were all.
        whole: On all.
        quarter: On a quarter.
    """

    files: int
    whole: Usage
    quarter: Usage

    @property
    def rate(self) -> float:
        """Files a second."""
        return self.files / self.whole.seconds

    @property
    def cpu(self) -> float:
        """Milliseconds of processors a file."""
        return 1e3 * self.whole.cpu / self.files

    @property
    def marginal(self) -> float:
        """Milliseconds of processors of a file more."""
        more = self.files - self.files // 4
        return 1e3 * (self.whole.cpu - self.quarter.cpu) / more


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes the folders, runs everything in turn, prints a table."""
    options = parse(_parser(), arguments)
    facts = {"files": options.files, "height": options.height, "width": options.width}
    rounds: list[dict[str, Round]] = []
    with (
        tempfile.TemporaryDirectory(dir=options.place) as folder,
        Report(options, COLUMNS, facts=facts) as report,
    ):
        place, shape = Path(folder), (options.height, options.width)
        make_radiographs(place / "all", options.files, "explicit", shape)
        make_radiographs(place / "quarter", options.files // 4, "explicit", shape)
        for i in range(options.repeats):
            rounds.append(_round(place, options))
            print(f"round {i + 1} of {options.repeats}", file=sys.stderr, flush=True)
        report.extend(rows_of(rounds))


def rows_of(rounds: Sequence[Mapping[str, Round]]) -> list[Row]:
    """What the rounds say, by command."""
    rows = []
    for name in rounds[0]:
        own = [commands[name] for commands in rounds]
        tools = [[commands[tool] for tool in TOOLS if tool in commands] for commands in rounds]
        pairs = [(one, beside) for one, beside in zip(own, tools, strict=True) if beside]
        rows.append(
            Row(
                command=name,
                rate=spread([one.rate for one in own]),
                target=OURS[name][1] if name in OURS else None,
                ratio=spread([one.rate / max(t.rate for t in beside) for one, beside in pairs])
                if pairs
                else None,
                cpu=spread([one.cpu for one in own]),
                marginal=spread([one.marginal for one in own]),
                cpu_ratio=spread(
                    [one.marginal / min(t.marginal for t in beside) for one, beside in pairs]
                )
                if pairs
                else None,
                peak=max(one.whole.peak for one in own) / 1e6,
            )
        )
    return rows


def _round(place: Path, options: argparse.Namespace) -> dict[str, Round]:
    commands = {name: _ours(words) for name, (words, _) in OURS.items()}
    for tool in options.tools:
        commands[tool] = [sys.executable, *TOOLS[tool].words]
    return {
        name: Round(
            files=options.files,
            whole=_usage(place, "all", words),
            quarter=_usage(place, "quarter", words),
        )
        for name, words in commands.items()
    }


def _ours(words: Sequence[str]) -> list[str]:
    script = Path(sys.executable).with_name("latentdp")
    return [str(script), "privatize", "{in}", "{out}", "--vault", "{vault}", "--json", *words]


def _usage(place: Path, source: str, words: Sequence[str]) -> Usage:
    out, vault = place / "out", place / "vault"
    if "{vault}" not in words:  # a tool wants a folder to be there
        out.mkdir()
    fields = {"in": place / source, "out": out, "vault": vault}
    try:
        return usage_of([word.format(**fields) for word in words])
    finally:
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(vault, ignore_errors=True)


def _parser() -> argparse.ArgumentParser:
    options = parser("speed", __doc__)
    options.add_argument("--files", type=int, default=400)
    options.add_argument("--height", type=int, default=2500)
    options.add_argument("--width", type=int, default=2000)
    options.add_argument("--tools", nargs="*", choices=TOOLS, default=list(TOOLS))
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--place", type=Path, help="where the files lie meanwhile")
    return options


if __name__ == "__main__":
    main()
