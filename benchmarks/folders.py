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
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, generate_uid

from latentdp.data.dicom.instance import read
from latentdp.data.preprocess import resize
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal

ROOT = Path(__file__).parents[1]
SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "jpeg-ls": JPEGLSLossless,
    "jpeg-2000": JPEG2000Lossless,
}
PICTURES = 4
TOOLS = {
    "dicognito": ("-m", "dicognito", "--quiet", "--output-directory", "{out}", "{in}"),
    "dicom-anonymizer": ("-m", "dicomanonymizer.anonymizer", "{in}", "{out}"),
}


@dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        tool: And its options.
        syntax: Of the files.
        files: How many.
        seconds: Wall clock.
        outputs: Files that it wrote.
        peak: Resident set of the largest process in bytes.
    """

    tool: str
    syntax: str
    files: int
    seconds: float
    outputs: int
    peak: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes the folders, runs everything, prints a table."""
    options = _parser().parse_args(arguments)
    rows: list[Row] = []
    for syntax, files in product(options.syntaxes, options.files):
        with tempfile.TemporaryDirectory(dir=options.place) as place:
            source = Path(place) / "in"
            make(source, files, syntax, (options.height, options.width))
            for _ in range(options.repeats):
                rows += list(_runs(Path(place), source, syntax, files, options))
    table(rows, options.tools)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2))


def make(folder: Path, files: int, syntax: str, shape: tuple[int, int]) -> None:
    """Writes the files: the same few pictures, each file another patient's."""
    folder.mkdir()
    samples = sorted((ROOT / "samples" / "cxr").rglob("*"))
    made: list[pydicom.Dataset] = []
    for path in samples:
        if len(made) == PICTURES or not path.is_file() or path.name == "broken.dcm":
            continue
        picture = resize(read(path).pixels, shape)
        picture = picture + 0.004 * normal(SeededNoise(len(made)), shape)
        dataset = pydicom.dcmread(path)
        dataset.Rows, dataset.Columns = shape
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PhotometricInterpretation = "MONOCHROME2"
        for word in ("PresentationLUTShape", "WindowCenter", "WindowWidth"):
            if word in dataset:
                delattr(dataset, word)
        dataset.PixelData = np.rint(np.clip(picture, 0, 1) * 4095).astype("<u2").tobytes()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        if syntax != "explicit":
            dataset.compress(SYNTAXES[syntax])
        made.append(dataset)
    for i in range(files):
        dataset = made[i % len(made)]
        dataset.PatientID, dataset.PatientName = f"P{i}", f"Invented^{i}"
        for word in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(dataset, word, generate_uid(entropy_srcs=[word, str(i)]))
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(folder / f"{i}.dcm")


def _runs(
    place: Path, source: Path, syntax: str, files: int, options: argparse.Namespace
) -> Iterator[Row]:
    script = Path(sys.executable).with_name("latentdp")
    for variant, workers in product(options.variants, options.workers):
        out, vault = place / "out", place / "vault"
        call = [str(script), "privatize", str(source), str(out), "--vault", str(vault), "--json"]
        call += ["--workers", str(workers), *variant.split()]
        seconds, peak = timed(call)
        name = f"latentdp {variant}, {workers} workers".replace(" ,", ",")
        yield Row(name, syntax, files, seconds, _count(out / "images"), peak)
        shutil.rmtree(out)
        shutil.rmtree(vault)
    for tool in options.tools:
        out = place / "headers"
        out.mkdir()
        words = [word.format(**{"in": source, "out": out}) for word in TOOLS[tool]]
        seconds, peak = timed([sys.executable, *words])
        yield Row(tool, syntax, files, seconds, _count(out), peak)
        shutil.rmtree(out)


def timed(call: Sequence[str]) -> tuple[float, int]:
    """Seconds, and the peak of memory of the largest process in bytes."""
    watch = (
        "import resource, subprocess, sys, time\n"
        "began = time.perf_counter()\n"
        "run = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
        "seconds = time.perf_counter() - began\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "print(run.returncode, seconds, peak)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", watch, *call], capture_output=True, text=True, check=True
    )
    code, seconds, peak = said.stdout.split()
    if code != "0":
        raise SystemExit(f"{call[0]} ended with {code}:\n{said.stderr}")
    return float(seconds), int(peak) * 1024


def table(rows: Sequence[Row], tools: Sequence[str]) -> None:
    """One line a run; ratios to each tool for headers on the same files."""
    heads = [f"of {tool}" for tool in tools]
    print(f"| files | syntax | command | files/s | peak, MB | {' | '.join(heads)}")
    print(f"|---|---|---|---|---|{'---|' * len(heads)}")
    for row in rows:
        rate = row.outputs / row.seconds
        cells = [f"{rate:.1f}", f"{row.peak / 1e6:,.0f}"]
        for tool in tools:
            same = [
                r.outputs / r.seconds
                for r in rows
                if (r.tool, r.syntax, r.files) == (tool, row.syntax, row.files)
            ]
            cells.append(f"{rate / np.median(same):.2f}" if same else "-")
        print(f"| {row.files:,} | {row.syntax} | {row.tool} | {' | '.join(cells)} |")


def _count(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", nargs="+", type=int, default=[1000])
    parser.add_argument("--height", type=int, default=2500)
    parser.add_argument("--width", type=int, default=2000)
    parser.add_argument("--syntaxes", nargs="+", choices=SYNTAXES, default=list(SYNTAXES))
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--tools", nargs="*", choices=TOOLS, default=list(TOOLS))
    parser.add_argument(
        "--variants",
        nargs="+",
        default=["", "--size 64", "--size 64 --candidates 1"],
        help="options of latentdp privatize",
    )
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--place", type=Path, help="where the files lie meanwhile")
    parser.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    main()
