"""Releases for machine learning: small folders in a format, with labels and patients."""

from __future__ import annotations

import csv
from pathlib import Path

from latentdp import Privatizer, Recipe
from latentdp.data.dicom.profile import Profile
from latentdp.release.privatize import privatize_folder
from latentdp.release.summary import Summary
from tests.support.folders import picture_at, radiograph_at
from tests.support.tiny_flow import shared_flow

SIDE = 64  # there is room for the mark
PATIENTS = 6


def inputs(place: Path, patients: int = PATIENTS) -> Path:
    """Two files of each patient, with labels, and a picture of nobody."""
    lines = ["file,label"]
    for number in range(2 * patients):
        radiograph_at(
            place / "in" / f"{number}.dcm",
            number,
            PatientID=f"QXCANARY{number // 2}",
            StudyInstanceUID=f"1.2.3.{number // 2}",
        )
        lines.append(f"{number}.dcm,{'abc'[number % 3]}")
    picture_at(place / "in" / "QXCANARY.png", 99)
    lines.append("QXCANARY.png,a")
    (place / "labels.csv").write_text("\n".join(lines) + "\n")
    return place / "in"


def privatizer(label: str = "response", **profile: object) -> Privatizer:
    """Of the tiny flow."""
    profile = {"size": SIDE, "mark": True} | profile
    recipe = Recipe.from_preset("balanced", label=label, epsilon=100.0, profile=Profile(**profile))
    return Privatizer(shared_flow(), recipe)


def release(place: Path, out: str = "out", file_format: str = "png", **options) -> Summary:
    """Of `inputs`."""
    return privatize_folder(
        place / "in",
        place / out,
        privatizer=privatizer(file_format=file_format),
        vault=place / "vault",
        labels=place / "labels.csv",
        **options,
    )


def table(out: Path) -> list[dict[str, str]]:
    """The rows of ``metadata.csv``."""
    with (out / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
