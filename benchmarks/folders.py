"""Whole runs over folders of full-size radiographs: files per second and peak memory.

    python benchmarks/folders.py [--files 1000] [--height 2500] [--width 2000]
        [--syntaxes explicit jpeg-ls jpeg-2000] [--workers 1 2] [--variants "--size 64" ...]
        [--tools dicognito dicom-anonymizer] [--repeats 1] [--place FOLDER] [--json FILE]

Synthetic 16-bit DICOM files (12 bits stored): a few enlarged samples with noise, each under many
headers, so that every file is another patient's. ``latentdp privatize`` is called as a user would,
start-up, ledger, private review and release page included, once for each variant of its options.
The tools of `--tools` de-identify headers and nothing else, on the same files (extra ``peers``);
the ratio is to them. Memory is the largest resident set of any one process of a run. Several
``--files`` show how both grow with the folder.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from _harness import Report, parse, parser
from _radiographs import SYNTAXES, make_radiographs
from _results import Column
from _usage import Usage, usage_of


@dataclass(frozen=True)
class Tool:
    """Other people's, for headers.

    Attributes:
        field: Of a row, with the ratio to it.
        words: Of its command, after Python's.
    """

    field: str
    words: tuple[str, ...]


TOOLS = {
    "dicognito": Tool(
        "of_dicognito", ("-m", "dicognito", "--quiet", "--output-directory", "{out}", "{in}")
    ),
    "dicom-anonymizer": Tool(
        "of_dicom_anonymizer", ("-m", "dicomanonymizer.anonymizer", "{in}", "{out}")
    ),
}
COLUMNS = (
    Column("files", "{files:,}"),
    Column("syntax", "{syntax}"),
    Column("command", "{command}"),
    Column("files/s", "{rate:.1f}"),
    Column("largest process, MB", "{peak:,.0f}"),
)


@dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        command: The tool and its options.
        syntax: Of the files.
        files: How many.
        seconds: Wall clock.
        outputs: Files that it wrote.
        rate: Of them, in a second.
        peak: Resident set of the largest process in MB.
        of_dicognito: Its rate as a share of that of dicognito on the same files, in the median of
            several runs; None where that did not run.
        of_dicom_anonymizer: Likewise of dicom-anonymizer.
    """

    command: str
    syntax: str
    files: int
    seconds: float
    outputs: int
    rate: float
    peak: float
    of_dicognito: float | None = None
    of_dicom_anonymizer: float | None = None


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes the folders, runs everything, prints a table."""
    options = parse(_parser(), arguments)
    beside = [Column(f"of {tool}", f"{{{TOOLS[tool].field}:.2f}}") for tool in options.tools]
    facts = {"height": options.height, "width": options.width}
    with Report(options, (*COLUMNS, *beside), facts=facts) as report:
        for syntax, files in product(options.syntaxes, options.files):
            with tempfile.TemporaryDirectory(dir=options.place) as place:
                source = Path(place) / "in"
                make_radiographs(source, files, syntax, (options.height, options.width))
                runs = [
                    run
                    for _ in range(options.repeats)
                    for run in _runs(Path(place), source, syntax, files, options)
                ]
            report.extend(with_ratios(runs))


def with_ratios(runs: Sequence[Row]) -> Iterator[Row]:
    """Runs on the same files, with ratios to the tools among them."""
    base = {}
    for name, tool in TOOLS.items():
        rates = [run.rate for run in runs if run.command == name]
        if rates:
            base[tool.field] = float(np.median(rates))
    for run in runs:
        yield replace(run, **{field: run.rate / rate for field, rate in base.items()})


def _runs(
    place: Path, source: Path, syntax: str, files: int, options: argparse.Namespace
) -> Iterator[Row]:
    script = Path(sys.executable).with_name("latentdp")
    for variant, workers in product(options.variants, options.workers):
        out, vault = place / "out", place / "vault"
        call = [str(script), "privatize", str(source), str(out), "--vault", str(vault), "--json"]
        call += ["--workers", str(workers), *variant.split()]
        usage = usage_of(call)
        name = f"latentdp {variant}, {workers} workers".replace(" ,", ",")
        outputs = _count(out / "images")
        yield _row(name, syntax, files, outputs, usage)
        shutil.rmtree(out)
        shutil.rmtree(vault)
    for tool in options.tools:
        out = place / "headers"
        out.mkdir()
        words = [word.format(**{"in": source, "out": out}) for word in TOOLS[tool].words]
        usage = usage_of([sys.executable, *words])
        yield _row(tool, syntax, files, _count(out), usage)
        shutil.rmtree(out)


def _row(command: str, syntax: str, files: int, outputs: int, usage: Usage) -> Row:
    return Row(
        command,
        syntax,
        files,
        usage.seconds,
        outputs,
        outputs / usage.seconds,
        usage.peak / 1e6,
    )


def _count(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def _parser() -> argparse.ArgumentParser:
    options = parser("folders", __doc__)
    options.add_argument("--files", nargs="+", type=int, default=[1000])
    options.add_argument("--height", type=int, default=2500)
    options.add_argument("--width", type=int, default=2000)
    options.add_argument("--syntaxes", nargs="+", choices=SYNTAXES, default=list(SYNTAXES))
    options.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    options.add_argument("--tools", nargs="*", choices=TOOLS, default=list(TOOLS))
    options.add_argument(
        "--variants",
        nargs="+",
        default=["", "--size 64", "--size 64 --candidates 1"],
        help="options of latentdp privatize",
    )
    options.add_argument("--repeats", type=int, default=1)
    options.add_argument("--place", type=Path, help="where the files lie meanwhile")
    return options


if __name__ == "__main__":
    main()
