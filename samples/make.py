"""Makes the synthetic radiographs of the samples.

    python samples/make.py [FOLDER]

They go to the folder `cxr`, which is what a user of the tool would have.

The pictures are drawn from the shipped flow with a fixed seed, so they show nobody; names, dates
and numbers are invented. One file is broken on purpose. The files are public domain (CC0).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from latentdp.data.preprocess import resize
from latentdp.models.checkpoints import load
from latentdp.models.flow.flow import load_flow
from latentdp.models.model_card.flow import samples

SIDE = 256
HERE = Path(__file__).parent / "cxr"


@dataclass(frozen=True)
class Sample:
    """One invented examination."""

    file: str
    patient: str
    name: str
    sex: str
    date: str
    kind: str
    photometric: str
    bits: int
    picture: int
    view: str


SAMPLES = (
    Sample("clinic-a/cr-0001.dcm", "A-1001", "Doe^Jane", "F", "20190304", "CR", "MONOCHROME2", 12, 3, "PA"),
    Sample("clinic-a/cr-0002.dcm", "A-1001", "Doe^Jane", "F", "20200911", "CR", "MONOCHROME1", 12, 7, "PA"),
    Sample("clinic-a/cr-0003.dcm", "A-1002", "Roe^Richard", "M", "20190305", "CR", "MONOCHROME2", 8, 5, "AP"),
    Sample("clinic-b/IM0001", "B-77", "Muster^Erika", "F", "20211224", "DX", "MONOCHROME2", 12, 2, "PA"),
    Sample("clinic-b/IM0002", "B-78", "Nowak^Jan", "M", "20220102", "DX", "MONOCHROME1", 12, 6, "PA"),
    Sample("clinic-b/IM0003", "B-79", "Rossi^Maria", "F", "20220815", "DX", "MONOCHROME1", 8, 11, "PA"),
    Sample("clinic-b/IM0004", "B-80", "Sato^Hanako", "F", "20221001", "CR", "MONOCHROME1", 8, 1, "AP"),
)  # fmt: skip
# ruff: noqa: E501 (a table reads better in one line a row)
BROKEN = "clinic-b/broken.dcm"


def main(folder: Path = HERE) -> None:
    """Writes all samples below ``folder``."""
    flow = load_flow(load("cxr-adult"))
    drawn = samples(flow, 12, temperature=0.8, seed=2026)
    for sample in SAMPLES:
        path = folder / sample.file
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = resize(drawn[sample.picture], (SIDE, SIDE))
        dataset(sample, picture).save_as(path, enforce_file_format=True)
    whole = (folder / SAMPLES[0].file).read_bytes()
    (folder / BROKEN).write_bytes(whole[: len(whole) // 3])


def dataset(sample: Sample, picture: NDArray[np.float32]) -> Dataset:
    """A data set as a clinic's machine might have written it."""
    dx = sample.kind == "DX"
    sop_class = DigitalXRayImageStorageForPresentation if dx else ComputedRadiographyImageStorage
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = sop_class
    uid = generate_uid(entropy_srcs=["latentdp sample", sample.file])
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid
    ds.StudyInstanceUID = generate_uid(entropy_srcs=["study", sample.patient, sample.date])
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=["series", sample.patient, sample.date])
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.Modality = sample.kind
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = sample.date
    ds.StudyTime = ds.ContentTime = "101500"
    ds.AccessionNumber = f"ACC{sample.patient}"
    ds.Manufacturer = "Invented Imaging Inc."
    ds.InstitutionName = "Invented General Hospital"
    ds.ReferringPhysicianName = "House^Gregory"
    ds.StudyDescription = "Chest, invented"
    ds.PatientName = sample.name
    ds.PatientID = sample.patient
    ds.PatientBirthDate = "19600101"
    ds.PatientSex = sample.sex
    ds.BodyPartExamined = "CHEST"
    ds.ViewPosition = sample.view
    ds.StudyID = "1"
    ds.SeriesNumber, ds.InstanceNumber = 1, 1
    ds.BurnedInAnnotation = "NO"
    if dx:
        ds.PresentationIntentType = "FOR PRESENTATION"
        ds.ImageType = ["ORIGINAL", "PRIMARY", ""]
        ds.PixelIntensityRelationship = "LOG"
        ds.PixelIntensityRelationshipSign = 1 if sample.photometric == "MONOCHROME1" else -1
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
        identity = sample.photometric == "MONOCHROME2"
        ds.PresentationLUTShape = "IDENTITY" if identity else "INVERSE"
        ds.LossyImageCompression = "00"
        ds.DetectorType = "DIRECT"
        ds.PositionerType = ""
        ds.ImagerPixelSpacing = [1.4, 1.4]
        ds.ImageLaterality = "U"
        ds.PatientOrientation = ["L", "F"]
        ds.AcquisitionContextSequence = []
    private = ds.private_block(0x0011, "INVENTED PRIVATE", create=True)
    private.add_new(0x01, "LO", f"private note on {sample.name}")
    stored = picture if sample.photometric == "MONOCHROME2" else 1 - picture
    top = 2**sample.bits - 1
    ds.Rows, ds.Columns = picture.shape
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = sample.photometric
    ds.BitsAllocated = 8 if sample.bits == 8 else 16
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = sample.bits, sample.bits - 1, 0
    ds.WindowCenter, ds.WindowWidth = (top + 1) / 2, top + 1
    pixels = np.rint(stored * top).astype("<u1" if sample.bits == 8 else "<u2")
    ds.add_new("PixelData", "OB" if sample.bits == 8 else "OW", pixels.tobytes())
    return ds


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
