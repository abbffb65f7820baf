"""`latentdp synthesize` on cohorts of several sizes: CPU seconds and memory of the whole command.

    python benchmarks/cohort_size.py DATA [--patients 300 1000 3297 20000] [--images 1000]
        [--source kermany] [--method gaussian] [--weights cxr-adult] [--place FOLDER] [--json FILE]

Pictures of a source stand for patients of one image each; where they do not suffice they come
again, with one pixel changed, as somebody else's. The command is called as a user would, reading,
ledger, learning and drawing included. Memory is the largest resident set of its process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _harness import Report, parse, parser
from _results import Column
from _usage import usage_of
from PIL import Image

from latentdp.core.tables import write_table
from latentdp.data.dataset import read_dataset

SIZE = 128  # pixels
COLUMNS = (
    Column("patients", "{patients:,}"),
    Column("images drawn", "{images:,}"),
    Column("CPU seconds", "{cpu:,.0f}"),
    Column("seconds", "{seconds:,.0f}"),
    Column("CPU ms a patient", "{each:.1f}"),
    Column("largest memory, MB", "{peak:,.0f}"),
)


@dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        patients: In the cohort, of one image each.
        images: Drawn.
        cpu: User and system seconds.
        seconds: Until it ended; they follow what else the machine does.
        each: CPU milliseconds over patients.
        peak: Largest resident set, in 10^6 bytes.
    """

    patients: int
    images: int
    cpu: float
    seconds: float
    each: float
    peak: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a row for each size."""
    options = parse(_parser(), arguments)
    shown = read_dataset(
        options.data, "train", size=SIZE, conditions=("finding",), sources=(options.source,)
    )
    with Report(options, COLUMNS, facts={"pixels": SIZE}) as report:
        for patients in options.patients:
            with tempfile.TemporaryDirectory(dir=options.place) as place:
                folder = Path(place)
                labels = make_cohort(folder / "in", shown.pixels, shown.reported, patients)
                words = ["synthesize", folder / "in", folder / "out", "--labels", labels]
                words += ["--vault", folder / "vault", "--images", options.images]
                words += ["--method", options.method, "--weights", options.weights]
                script = Path(sys.executable).with_name("latentdp")
                usage = usage_of([sys.executable, *map(str, (script, *words))])
            report.add(
                Row(
                    patients=patients,
                    images=options.images,
                    cpu=usage.cpu,
                    seconds=usage.seconds,
                    each=1e3 * usage.cpu / patients,
                    peak=usage.peak / 1e6,
                )
            )


def make_cohort(folder: Path, pixels: np.ndarray, findings: Sequence[str], patients: int) -> Path:
    """Pictures of so many patients, and the table of their findings, beside the folder."""
    folder.mkdir(parents=True)
    rows = []
    for patient in range(patients):
        again, i = divmod(patient, len(pixels))
        picture = pixels[i].copy()
        picture[0, 0] = again  # nobody has another's picture
        name = f"{patient:06d}.png"
        Image.fromarray(picture).save(folder / name)
        rows.append((name, findings[i], f"P{patient}"))
    table = folder.with_suffix(".csv")
    write_table(table, ("file", "label", "patient"), rows)
    return table


def _parser() -> argparse.ArgumentParser:
    options = parser("cohort_size", __doc__, data=True)
    options.add_argument("--patients", nargs="+", type=int, default=[300, 1_000, 3_297, 20_000])
    options.add_argument("--images", type=int, default=1_000)
    options.add_argument("--source", default="kermany")
    options.add_argument("--method", default="gaussian")
    options.add_argument("--weights", default="cxr-adult")
    options.add_argument("--place", type=Path, help="where cohorts lie for a while")
    return options


if __name__ == "__main__":
    main()
