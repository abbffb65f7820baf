"""Makes hospitals' cohorts of public radiographs, to try what is learnt from whole ones.

    python samples/cohort.py DATA FOLDER [--patients 300] [--hospitals 1] [--seed 1]

DATA is a folder with manifest.csv and the children of Kermany, Zhang and Goldbaum 2018 (CC BY 4.0;
source ``kermany``). FOLDER/cohort holds pictures of patients of the training split, a folder for
each, and FOLDER/findings.csv what they show, under names of the hospital's own. FOLDER/others and
FOLDER/others.csv are the same of other patients, of the test split: to see what was learnt. Of
several hospitals the cohorts are FOLDER/hospital-1 and so on, each with its list beside it, and no
patient is at two of them. The same seed chooses the same patients.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

SOURCE = "kermany"
NAMES = {  # of the manifest, and of this hospital
    "NORMAL": "clear",
    "PNEUMONIA": "pneumonia",
    "bacterial": "bacteria found",
    "viral": "virus found",
}
Rows = list[dict[str, str]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Copies pictures and writes their lists."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=300, help="of each hospital")
    parser.add_argument("--hospitals", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with (options.data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == SOURCE]
    if not rows:
        parser.error(f"expected images of the source {SOURCE} in manifest.csv; there are none")
    known = _by_patient(rows, "train")
    order = np.random.default_rng(options.seed).permutation(sorted(known))
    if len(order) < options.hospitals * options.patients:
        parser.error(f"expected patients of {len(order)}, for all hospitals together")
    for number in range(options.hospitals):
        own = order[number * options.patients : (number + 1) * options.patients]
        chosen = [row for patient in own for row in known[patient]]
        name = f"hospital-{number + 1}"
        places = ("cohort", "findings.csv") if options.hospitals == 1 else (name, f"{name}.csv")
        _write(options.data, options.folder, *places, chosen)
    others = [row for own in _by_patient(rows, "test").values() for row in own]
    _write(options.data, options.folder, "others", "others.csv", others)


def _by_patient(rows: Rows, split: str) -> dict[str, Rows]:
    patients = defaultdict(list)
    for row in rows:
        if row["split"] == split:
            patients[row["patient_id"]].append(row)
    return patients


def _write(data: Path, folder: Path, pictures: str, table: str, rows: Rows) -> None:
    (folder / pictures).mkdir(parents=True)
    with (folder / table).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["file", "label", "patient"])
        writer.writeheader()
        for row in rows:
            patient, source = row["patient_id"], data / row["file"]
            place = folder / pictures / patient
            place.mkdir(exist_ok=True)
            shutil.copy(source, place / source.name)
            label = ";".join(NAMES[name] for name in row["labels"].split(";"))
            writer.writerow(
                {"file": f"{patient}/{source.name}", "label": label, "patient": patient}
            )


if __name__ == "__main__":
    main()
