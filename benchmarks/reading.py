"""What reading a file takes by its transfer syntax: digest, header, pixels, reduction.

    python benchmarks/reading.py [--files 12] [--height 2500] [--width 2000] [--size 64]
        [--repeats 3] [--syntaxes explicit rle jpeg-2000 ...] [--place FOLDER] [--json FILE]

One thread, seconds of the processor; the same synthetic pictures in every syntax. "Two cores at
best" is what two workers could read if they did nothing else: a run is slower. Syntaxes without an
encoder here (lossless JPEG) are not measured.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from _harness import Report, parse, parser, spread
from _radiographs import SYNTAXES, make_radiographs
from _results import Column, Interval

from latentdp.core.content_digest import ContentDigest
from latentdp.core.process import tune_allocator
from latentdp.data.dicom.profile import BASIC
from latentdp.data.radiograph import Radiograph
from latentdp.release.tasks import take_input

COLUMNS = (
    Column("transfer syntax", "{syntax}"),
    Column("MB a file", "{size:.1f}"),
    Column("ms of processor", "{cpu:.1f}"),
    Column("files/s, two cores at best", "{rate:.1f}"),
)


@dataclass(frozen=True)
class Row:
    """Files of one syntax.

    Attributes:
        syntax: Its name here.
        size: Megabytes of a file.
        cpu: Milliseconds of the processor, a file.
        rate: Files a second of two cores that only read.
    """

    syntax: str
    size: float
    cpu: Interval
    rate: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads everything in turn, prints a table."""
    options = parse(_parser(), arguments)
    tune_allocator()
    with tempfile.TemporaryDirectory(dir=options.place) as folder, Report(options, COLUMNS) as own:
        places = {syntax: Path(folder) / syntax for syntax in options.syntaxes}
        for syntax, place in places.items():
            make_radiographs(place, options.files, syntax, (options.height, options.width))
        seconds: dict[str, list[float]] = {syntax: [] for syntax in places}
        for _ in range(options.repeats + 1):  # the first is not counted
            for syntax, place in places.items():
                seconds[syntax].append(_read(place, options.size) / options.files)
        for syntax, place in places.items():
            cpu = spread([1e3 * one for one in seconds[syntax][1:]])
            size = sum(path.stat().st_size for path in place.iterdir()) / options.files
            own.add(Row(syntax, size * 1e-6, cpu, 2e3 / cpu.value))


def _read(place: Path, size: int) -> float:
    began = time.process_time()
    for path in sorted(place.iterdir()):
        taken = take_input((path, ContentDigest.BLAKE3, (size, size), BASIC))
        if not isinstance(taken.read, Radiograph):
            raise SystemExit(f"{path.name} cannot be read: {taken.read}")
    return time.process_time() - began


def _parser() -> argparse.ArgumentParser:
    options = parser("reading", __doc__)
    options.add_argument("--files", type=int, default=12)
    options.add_argument("--height", type=int, default=2500)
    options.add_argument("--width", type=int, default=2000)
    options.add_argument("--size", type=int, default=64)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--syntaxes", nargs="+", choices=SYNTAXES, default=list(SYNTAXES))
    options.add_argument("--place", type=Path, help="where the files lie meanwhile")
    return options


if __name__ == "__main__":
    main()
