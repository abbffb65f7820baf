"""Small private cohorts on the disk, and requests about them."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from latentdp.synthesis.request import SynthesisRequest
from latentdp.vault.spending import Spent
from latentdp.vault.vault import Vault
from tests.support.folders import picture_at, radiograph_at

PATIENTS = 12


def cohort(place: Path, patients: int = PATIENTS, images: int = 2, **last: str) -> Path:
    """A folder of DICOM files with a table of their findings; one finding for every third patient.

    Args:
        place: In which ``in/`` and ``labels.csv`` are made.
        patients: How many.
        images: Of each.
        last: Columns of the last file's row, in place of the usual ones.
    """
    rows = []
    for patient in range(patients):
        for i in range(images):
            name = f"p{patient}/{i}.dcm"
            radiograph_at(place / "in" / name, 10 * patient + i, PatientID=f"P{patient}")
            rows.append(
                {"file": name, "label": ("Effusion;edema", "Normal", "normal")[patient % 3]}
            )
    rows[-1] |= last
    write(place / "labels.csv", rows)
    return place / "in"


def pictures(place: Path, patients: int = PATIENTS, *, named: bool = True) -> Path:
    """A folder of pictures, whose table names the patients if asked for."""
    rows = []
    for patient in range(patients):
        name = f"{patient}.png"
        picture_at(place / "in" / name, patient)
        row = {"file": name, "label": ("a", "b")[patient % 2]}
        rows.append(row | ({"patient": f"P{patient}"} if named else {}))
    write(place / "labels.csv", rows)
    return place / "in"


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def request(place: Path, out: str = "out", **changes) -> SynthesisRequest:
    """About the cohort at a place: 5 images at epsilon 8."""
    options = {
        "source": place / "in",
        "labels": place / "labels.csv",
        "epsilon": 8.0,
        "images": 5,
        "vault": place / "vault",
        "findings": "normal;effusion;edema",
    } | changes
    return SynthesisRequest(out=place / out, **options)


def pixels(place: Path, out: str = "out") -> np.ndarray:
    return np.stack(
        [np.asarray(Image.open(p)) for p in sorted((place / out / "images").iterdir())]
    )


def spent(place: Path) -> dict[str, Spent]:
    """What each patient of the vault at a place has been charged."""
    ledger = Vault(place / "vault", read_only=True).ledger()
    try:
        return ledger.spent()
    finally:
        ledger.close()
