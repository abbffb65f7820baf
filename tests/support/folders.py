"""Small folders of radiographs, and runs over them with a tiny flow: milliseconds an image."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image

from latentdp import Privatizer, Recipe
from latentdp.release.privatize import preview, privatize_folder
from tests.support.dicom_files import gradient, radiograph, save
from tests.support.tiny_flow import shared_flow

EPSILON = 2560.0


@cache
def privatizer() -> Privatizer:
    return Privatizer(shared_flow(), Recipe.from_preset("dp-glow", epsilon=EPSILON))


def go(place: Path, out: str = "out", source: str = "in", **options):
    options.setdefault("vault", place / "vault")
    return privatize_folder(place / source, place / out, privatizer=privatizer(), **options)


def look(place: Path, out: str = "out", source: str = "in", **options):
    options.setdefault("vault", place / "vault")
    return preview(place / source, place / out, privatizer=privatizer(), **options)


def image(number: int) -> np.ndarray:
    """Stored values that differ from those of any other number."""
    return np.roll(gradient(), 17 * number + 1)


def radiograph_at(path: Path, number: int, **elements) -> Path:
    """One file: the picture of this number, patient and UIDs of the same number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "PatientID": f"P{number}",
        "StudyInstanceUID": f"1.2.3.{number}.1",
        "SeriesInstanceUID": f"1.2.3.{number}.2",
        "SOPInstanceUID": f"1.2.3.{number}.3",
    } | elements
    save(radiograph(image(number), **told), path)
    return path


def picture_at(path: Path, number: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((image(number) // 16).astype(np.uint8)).save(path)
    return path


def images(place: Path, out: str = "out") -> list[str]:
    folder = place / out / "images"
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def header(place: Path, name: str, out: str = "out") -> pydicom.Dataset:
    return pydicom.dcmread(place / out / "images" / name)


def card(place: Path, out: str = "out") -> dict:
    return json.loads((place / out / "release.json").read_text())


def rows(summary) -> dict[str, dict]:
    """The private report by file."""
    return {r["file"]: r for r in map(json.loads, summary.report.read_text().splitlines())}


def charges(place: Path) -> Counter:
    """Reservations and written outputs in the ledger."""
    with closing(sqlite3.connect(place / "vault" / "ledger.sqlite")) as ledger:
        return Counter(kind for (kind,) in ledger.execute("select kind from latentdp_ledger"))


def tree(place: Path) -> dict[Path, bytes | None]:
    """Everything below a folder."""
    return {p: p.read_bytes() if p.is_file() else None for p in sorted(place.rglob("*"))}
