"""One input file and one output file, DICOM or picture, behind the same two functions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.arrays import resize
from latentdp.checkpoints import digest
from latentdp.dicom import instance as dicom
from latentdp.dicom import released
from latentdp.dicom.header import Identity, Method, Source
from latentdp.pictures import is_picture, read_picture, texts, write_picture

__all__ = [
    "Identity",
    "Method",
    "Radiograph",
    "digest",
    "elements",
    "look",
    "read",
    "reader",
    "write",
]

# Every output carries this modification time: the order of writing would link it to its source.
EPOCH = 946_684_800  # 2000-01-01


@dataclass(frozen=True, kw_only=True)
class Radiograph:
    """What is taken from one input.

    Attributes:
        image: ``(h, w)`` float32 in [0, 1], already of the flow's size.
        source: What a DICOM output has to know of its source; None for a picture.
        patient: The patient's identifier; empty where there is none.
        study: Source UID, or empty; likewise ``series`` and ``instance``.
    """

    image: NDArray[np.float32]
    source: Source | None = None
    patient: str = ""
    study: str = ""
    series: str = ""
    instance: str = ""

    @property
    def suffix(self) -> str:
        """File name suffix of the output."""
        return ".png" if self.source is None else ".dcm"


def reader(path: Path) -> str:
    """Who reads a file: ``picture`` by its suffix, unless it is DICOM under that name."""
    return "picture" if is_picture(path) and not dicom.looks_like_dicom(path) else "dicom"


def read(path: Path, shape: tuple[int, int]) -> Radiograph:
    """Reads one file and resizes its image to ``shape``.

    Raises:
        UnsupportedInstance: For whatever the file holds that cannot be handled.
    """
    if reader(path) == "picture":
        return Radiograph(image=resize(read_picture(path), shape))
    found = dicom.read(path)
    return Radiograph(
        image=resize(found.pixels, shape),
        source=found.source,
        patient=found.patient,
        study=found.study,
        series=found.series,
        instance=found.instance,
    )


def write(
    path: Path, image: NDArray[np.float32], taken: Radiograph, identity: Identity, method: Method
) -> str:
    """Writes a private image, whole or not at all; returns its SHA-256."""
    if taken.source is None:
        write_picture(path, image, method.description)
    else:
        dicom.write(path, image, source=taken.source, identity=identity, method=method)
    os.utime(path, (EPOCH, EPOCH))
    return digest(path)


def look(path: Path) -> NDArray[np.float32]:
    """The image ``(h, w)`` in [0, 1] of an output, to be looked at; 0 is black.

    Raises:
        UnsupportedInstance: It is no output of ours, or was damaged since.
    """
    return read_picture(path) if reader(path) == "picture" else released.picture(path)


def elements(path: Path) -> list[tuple[str, str]]:
    """Everything that an output says in words: the place of each element, and its value.

    Raises:
        UnsupportedInstance: It is no output of ours, or was damaged since.
    """
    return texts(path) if reader(path) == "picture" else released.elements(path)
