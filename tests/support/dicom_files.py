"""Synthetic radiographs for the tests of latentdp.data.dicom."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from latentdp.data.dicom.instance import read
from latentdp.data.dicom.refusals import KINDS, REASONS
from latentdp.errors import UnsupportedInstance

KIND_UIDS = {kind: uid for uid, kind in KINDS.items()}


def gradient(rows=72, columns=96, top=4000):
    """Stored values 0..top, all rows and columns different."""
    ramp = np.linspace(0, top, rows * columns)
    return np.rint(ramp).astype(np.int64).reshape(rows, columns)


def radiograph(
    stored=None, *, kind="CR", photometric="MONOCHROME2", bits=12, signed=False, **more
):
    """A data set that `read` takes; ``more`` sets elements, None deletes them."""
    stored = gradient() if stored is None else np.asarray(stored)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = KIND_UIDS[kind]
    dataset.SOPInstanceUID = "1.2.3.4.1"
    dataset.StudyInstanceUID = "1.2.3.4.2"
    dataset.SeriesInstanceUID = "1.2.3.4.3"
    dataset.PatientID = "P1"
    dataset.PatientName = "Doe^Jane"
    dataset.Modality = kind if kind != "SC" else "OT"
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "PA"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = 8 if bits == 8 else 16
    dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = int(signed)
    dataset.PixelData = stored.astype(
        f"<{'i' if signed else 'u'}{1 if bits == 8 else 2}"
    ).tobytes()
    dataset["PixelData"].VR = "OW"
    if kind == "DX":
        dataset.PresentationIntentType = "FOR PRESENTATION"
        dataset.BurnedInAnnotation = "NO"
    for keyword, value in more.items():
        if value is None:
            del dataset[keyword]
        else:
            setattr(dataset, keyword, value)
    return dataset


def lut(descriptor, data):
    """An item of a LUT sequence, with words."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US" if min(descriptor) >= 0 else "SS", list(descriptor))
    item.add_new("LUTData", "US", [int(v) for v in data])
    return item


def coded(meaning, value="1", scheme="99X"):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def save(dataset, path):
    meta = dataset.file_meta
    meta.MediaStorageSOPClassUID = dataset.get(
        "SOPClassUID", meta.get("MediaStorageSOPClassUID", "1.2.3")
    )
    meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2.3")
    dataset.save_as(path, enforce_file_format=True)
    return path


def outcome(path, **options):
    """What `read` returns, or the refusal that it raises; anything else fails the test."""
    try:
        return read(path, **options)
    except UnsupportedInstance as error:
        refusal = error
    assert refusal.reason in REASONS
    return refusal


def reason_of(path):
    """The reason of a refusal, None when the file is taken."""
    return getattr(outcome(path), "reason", None)
