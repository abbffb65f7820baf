"""What all outputs of one kind share: elements that follow no image and no patient.

They are most of a header, so that they are encoded once, and taken over as bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from latentdp.data.dicom.deidentification_codes import code, marks
from latentdp.data.dicom.refusals import KINDS

if TYPE_CHECKING:
    from latentdp.data.dicom.header import Provenance

__all__ = ["LEVELS", "shared_elements"]

KEPT = 32  # kinds and methods; a release has one method
_BITS = 12
LEVELS = 2**_BITS  # of an output's pixels
# Real detectors are 350 to 430 mm wide; which one took the source is not told.
_FIELD_MM = 350.0


@lru_cache(KEPT)
def shared_elements(
    kind: str, burned_in: str, lossy: bool, method: Provenance
) -> Mapping[BaseTag, DataElement | RawDataElement]:
    """Elements by tag, encoded in explicit VR and little endian.

    Args:
        kind: As `header.Source` has it.
        burned_in: Likewise.
        lossy: Likewise.
        method: What was done.
    """
    dataset = Dataset()
    profile = method.profile
    _set(
        dataset,
        _empty(),
        marks(
            description=method.description,
            version=method.version,
            private=method.private,
            central=method.central,
            profile=profile,
        ),
        _equipment(method),
        _description(kind, method),
        _picture(method.size),
        _dx(method.size) if kind == "DX" else {},
    )
    dataset.SOPClassUID = next(uid for uid, of in KINDS.items() if of == kind)
    if burned_in or profile.accept_burned_in:
        dataset.BurnedInAnnotation = "NO"
    if lossy:
        dataset.LossyImageCompression = "01"
    if lossy and kind == "DX":
        # Type 1C in DX. The source's own ratio is different for each image and would tell which
        # one it was; PS3.3 wants an approximate one, and this is a usual one.
        dataset.LossyImageCompressionRatio = "10"
    file = BytesIO()
    dataset.save_as(file, implicit_vr=False, little_endian=True)
    file.seek(0)
    encoded = read_dataset(file, is_implicit_VR=False, is_little_endian=True)
    return MappingProxyType({tag: encoded.get_item(tag) for tag in sorted(encoded.keys())})


def _set(dataset: Dataset, *parts: Mapping[str, Any]) -> None:
    for part in parts:
        for keyword, value in part.items():
            setattr(dataset, keyword, value)


def _empty() -> dict[str, str]:
    """What is said of no patient and of no study."""
    return {
        # Type 2, PS3.3 C.7.1 to C.7.5: present and empty.
        "PatientBirthDate": "",
        "PatientSex": "",
        "StudyDate": "",
        "StudyTime": "",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        # Empty would do, but a DICOMDIR cannot be built of it.
        "StudyID": "1",
        "SeriesNumber": "1",
        "InstanceNumber": "1",
    }


def _equipment(method: Provenance) -> dict[str, Any]:
    """What made the image: this tool, unless the profile retains the device."""
    if method.profile.retain_device:
        return {}
    return {"Manufacturer": "latentdp", "SoftwareVersions": method.version}


def _description(kind: str, method: Provenance) -> dict[str, Any]:
    """What all images of a kind share: what they show is the same, or is not told."""
    shared = {
        # SOP Common, PS3.3 C.12.1: no faithful picture of anything that was acquired.
        "SyntheticData": "YES",
        "SeriesDescription": method.title,
        # Derived: what it is derived from is not original any more. Value 3 has to be there and
        # be empty in DX, PS3.3 C.8.11.3.1.1.
        "ImageType": ["DERIVED", "SECONDARY", ""] if kind == "DX" else ["DERIVED", "SECONDARY"],
        "BodyPartExamined": "CHEST",
        # Type 2C, PS3.3 C.7.6.1: empty, as all dates are that are not retained.
        "ContentDate": "",
        # Which side is which is what the picture shows; CR and SC need not state it.
        "PatientOrientation": None,
    }
    if kind == "CR":
        return shared | {"Modality": "CR", "ViewPosition": ""}
    if kind == "SC":
        # The source may have said CR, DX or nothing; a picture out of a workstation is neither.
        return shared | {"Modality": "OT", "ConversionType": "WSD"}
    return shared | {"Modality": "DX"}


def _picture(size: int) -> dict[str, Any]:
    """12 bits in 16, shown whole."""
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": size,
        "Columns": size,
        "BitsAllocated": 16,
        "BitsStored": _BITS,
        "HighBit": _BITS - 1,
        "PixelRepresentation": 0,
        "WindowCenter": str(LEVELS // 2),
        "WindowWidth": str(LEVELS),
        "RescaleIntercept": "0",
        "RescaleSlope": "1",
        "RescaleType": "US",
    }


def _dx(size: int) -> dict[str, Any]:
    """What DX needs besides, PS3.3 A.26 and C.8.11: types 1 and 2, constants all."""
    spacing = f"{_FIELD_MM / size:.6g}"
    return {
        "PresentationIntentType": "FOR PRESENTATION",
        "ContentTime": "",
        "AnatomicRegionSequence": [code("51185008", "SCT", "Chest")],
        "ImagerPixelSpacing": [spacing, spacing],
        "PositionerType": "",
        "DetectorType": "",
        "AcquisitionContextSequence": [],
        # Type 1C. `instance.read` turns or refuses what states another orientation.
        "PatientOrientation": ["L", "F"],
        "ImageLaterality": "U",
        # Bright is dense: higher values mean less X-ray, PS3.3 C.8.11.3.1.2.
        "PixelIntensityRelationship": "LOG",
        "PixelIntensityRelationshipSign": -1,
        "PresentationLUTShape": "IDENTITY",
        "LossyImageCompression": "00",
    }
