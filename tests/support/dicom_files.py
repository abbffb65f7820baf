"""Synthetic radiographs for the tests of latentdp.data.dicom."""

from __future__ import annotations

import warnings
from contextlib import contextmanager

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_fragments
from pydicom.uid import ExplicitVRLittleEndian

from latentdp.data.dicom.instance import read
from latentdp.data.dicom.refusals import KINDS, REASONS
from latentdp.errors import UnsupportedInstance


@contextmanager
def as_they_come():
    """pydicom warns of values that are not as the standard has them; real files hold them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


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
    with as_they_come():
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
    with as_they_come():
        dataset.save_as(path, enforce_file_format=True)
    return path


MARK = b"MARKED"


def with_odd_element(path, tag, vr, value, **elements):
    """A radiograph with an element that holds these bytes under this VR, whatever it should."""
    dataset = radiograph(**elements)
    dataset.add_new(tag, "LO", MARK.decode())
    data = save(dataset, path).read_bytes()
    odd = vr.encode() + len(value).to_bytes(2, "little") + value
    path.write_bytes(data.replace(b"LO\x06\x00" + MARK, odd))
    return path


def item(value):
    """An item of encapsulated pixel data."""
    return b"\xfe\xff\x00\xe0" + len(value).to_bytes(4, "little") + value


def frame_of(dataset):
    """The compressed frame of a data set with an empty or right offset table."""
    return b"".join(list(generate_fragments(dataset.PixelData))[1:])


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
