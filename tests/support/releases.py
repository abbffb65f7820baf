"""Releases made by the installed command in a new process, for tests that look at them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from tests.support.dicom_files import KIND_UIDS, radiograph, save

COMMAND = Path(sys.executable).with_name("latentdp")
NATIVE = (ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
COMPRESSED = (RLELossless, JPEGLSLossless, JPEG2000Lossless)


@dataclass(frozen=True)
class Release:
    """One finished release.

    Attributes:
        source: Its input folder.
        out: What is released.
        vault: What is not.
        told: All that the command printed.
    """

    source: Path
    out: Path
    vault: Path
    told: str

    def dicom(self) -> list[Path]:
        """The released DICOM files."""
        return sorted(self.out.rglob("*.dcm"))

    def rows(self) -> list[dict[str, str]]:
        """The private report: one row for each input."""
        (report,) = (self.vault / "reports").glob("*.jsonl")
        return [json.loads(line) for line in report.read_text().splitlines()]

    def pairs(self) -> list[tuple[Path, Path]]:
        """Each DICOM input that was released, and its output."""
        outputs = {path.name: path for path in self.dicom()}
        return [
            (self.source / row["file"], outputs[Path(row["output"]).name])
            for row in self.rows()
            if row["status"] == "released" and row["output"].endswith(".dcm")
        ]


def latentdp(*arguments: object, timeout: float = 300) -> subprocess.CompletedProcess[bytes]:
    """Runs what pip installed, as a user would."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, timeout=timeout, check=False
    )


def release(source: Path, place: Path, *options: str, codes: tuple[int, ...] = (0, 1)) -> Release:
    """Privatizes ``source`` into a new folder below ``place``."""
    out, vault = place / "out", place / "vault"
    done = latentdp("privatize", source, out, "--vault", vault, *options)
    told = (done.stdout + done.stderr).decode()
    assert done.returncode in codes, told
    return Release(source, out, vault, told)


def texture(number: int, rows: int = 96, columns: int = 80) -> np.ndarray:
    """A picture (rows, columns) in [0, 1], another one for each number."""
    y, x = np.mgrid[:rows, :columns] / 96
    return 0.5 + 0.25 * np.sin((3 + number) * x + y) + 0.25 * np.cos(5 * y + number)


def every_kind(folder: Path) -> Path:
    """Writes radiographs of each kind, grey scale, depth and native or compressed syntax.

    Four patients: one of two studies, one of two series, one without an ID.
    """
    folder.mkdir(parents=True)
    number = 0

    def add(syntax=None, **how):
        nonlocal number
        number += 1
        bits = how.get("bits", 12)
        stored = np.rint(texture(number) * (2**bits - 1)) - how.get("signed", False) * 2 ** (
            bits - 1
        )
        patient = ("P1", "P2", "P3", None)[number % 4]
        dataset = radiograph(
            stored,
            **how,
            SOPInstanceUID=f"1.2.3.4.{number}",
            StudyInstanceUID=f"1.2.3.5.{number % 4}.{number % 8 if number % 4 == 1 else 0}",
            SeriesInstanceUID=f"1.2.3.6.{number % 8}.{list(KIND_UIDS).index(how['kind'])}",
            PatientID=patient,
            PatientName=f"Name^{patient}" if patient else "",
            BurnedInAnnotation="NO",
        )
        if syntax in COMPRESSED:
            dataset.compress(syntax, generate_instance_uid=False)
        elif syntax is not None:
            dataset.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian:
            dataset.PixelData = stored.astype(">u2").tobytes()
        save(dataset, folder / f"{number:03}")

    for kind in KIND_UIDS:
        for photometric in ("MONOCHROME1", "MONOCHROME2"):
            for bits in (8, 12, 16):
                add(kind=kind, photometric=photometric, bits=bits)
        add(kind=kind, bits=16, signed=True)
        for syntax in (*NATIVE, *COMPRESSED):
            add(syntax, kind=kind)
    return folder
