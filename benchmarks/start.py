"""What it takes to start: seconds of processors of help, of an import and of a run over one file.

    python benchmarks/start.py [--repeats 5] [--json FILE]

Each is a fresh process, after one that is not counted.
Medians with the smallest and largest. Processor time depends least on what else the machine does.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from _harness import Report, parse, parser, spread
from _radiographs import make_radiographs
from _results import Column, Interval

SCRIPT = str(Path(sys.executable).with_name("latentdp"))
SHAPE = (2500, 2000)
TARGETS = {  # seconds of processors, at most
    "`import latentdp`": 0.1,
    "`latentdp --help`": 0.25,
    "`latentdp privatize` of one file": 2.5,
}
COLUMNS = (
    Column("what", "{what}"),
    Column("seconds of processors", "{cpu:.2f}"),
    Column("aimed at", "{target:.2f}"),
)


@dataclass(frozen=True)
class Row:
    """One way to start.

    Attributes:
        what: A command.
        cpu: Seconds of processors.
        target: What was aimed at, at most.
    """

    what: str
    cpu: Interval
    target: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Starts everything in turn, prints a table."""
    options = parse(_parser(), arguments)
    with tempfile.TemporaryDirectory() as folder, Report(options, COLUMNS) as report:
        place = Path(folder)
        make_radiographs(place / "in", 1, "explicit", SHAPE)
        seconds: dict[str, list[float]] = {what: [] for what in TARGETS}
        for i in range(options.repeats + 1):
            for what, call in _calls(place, i).items():
                seconds[what].append(_of(call))
        for what, target in TARGETS.items():
            report.add(Row(what, spread(seconds[what][1:]), target))


def _calls(place: Path, i: int) -> dict[str, Sequence[str]]:
    """What is started, in the order of `TARGETS`."""
    words = [str(place / "in"), str(place / f"out{i}"), "--vault", str(place / f"vault{i}")]
    calls = ([sys.executable, "-c", "import latentdp"], [SCRIPT, "--help"],
             [SCRIPT, "privatize", *words])  # fmt: skip
    return dict(zip(TARGETS, calls, strict=True))


def _of(call: Sequence[str]) -> float:
    """Seconds of processors of a command and of what it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _parser() -> argparse.ArgumentParser:
    options = parser("start", __doc__)
    options.add_argument("--repeats", type=int, default=5)
    return options


if __name__ == "__main__":
    main()
