"""Synthetic radiographs of full size: enlarged samples with noise, under many headers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from latentdp.data.dicom.instance import read
from latentdp.data.preprocess import resize
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal

__all__ = ["PICTURES", "SYNTAXES", "make_radiographs"]

ROOT = Path(__file__).parents[1]
SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "jpeg-ls": JPEGLSLossless,
    "jpeg-2000": JPEG2000Lossless,
    "rle": RLELossless,
}
PICTURES = 4


def make_radiographs(folder: Path, files: int, syntax: str, shape: tuple[int, int]) -> None:
    """Writes a folder of files: the same few pictures, each file another patient's.

    Args:
        folder: Which is made.
        files: How many.
        syntax: A key of `SYNTAXES`.
        shape: Rows and columns.
    """
    folder.mkdir()
    samples = sorted((ROOT / "samples" / "cxr").rglob("*"))
    pictures: list[pydicom.Dataset] = []
    for path in samples:
        if len(pictures) == PICTURES or not path.is_file() or path.name == "broken.dcm":
            continue
        grey = resize(read(path).pixels, shape)
        grey = grey + 0.004 * normal(SeededNoise(len(pictures)), shape)
        dataset = pydicom.dcmread(path)
        dataset.Rows, dataset.Columns = shape
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PhotometricInterpretation = "MONOCHROME2"
        for word in ("PresentationLUTShape", "WindowCenter", "WindowWidth"):
            if word in dataset:
                delattr(dataset, word)
        dataset.PixelData = np.rint(np.clip(grey, 0, 1) * 4095).astype("<u2").tobytes()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        if syntax != "explicit":
            dataset.compress(SYNTAXES[syntax])
        pictures.append(dataset)
    for i in range(files):
        dataset = pictures[i % len(pictures)]
        dataset.PatientID, dataset.PatientName = f"P{i}", f"Invented^{i}"
        for word in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(dataset, word, generate_uid(entropy_srcs=[word, str(i)]))
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(folder / f"{i}.dcm")
