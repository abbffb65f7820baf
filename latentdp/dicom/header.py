"""The header of an output file: built new, from an allow-list of public constants.

No function here receives a source data set. What differs between two outputs is the pixels that
came out of the mechanism, the pseudonyms, the description of the method, and three coded facts
of the source (`Source`). What is not in `actions.ACTIONS` is not written, so attributes that
nobody thought of, private ones included, vanish by construction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from latentdp.dicom.refusals import KINDS
from latentdp.errors import InputError

__all__ = ["Identity", "Method", "Source", "build"]

# Made once for this implementation (PS3.7 D.3.3.2), from a random UUID.
_IMPLEMENTATION = "2.25.112003587279240017518193621661157415916"
_BITS = 12
_LEVELS = 2**_BITS
# Real detectors are 350 to 430 mm wide; which one took the source is not told.
_FIELD_MM = 350.0


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The pseudonyms of one output, all derived with the vault's key."""

    patient: str
    study: str
    series: str
    instance: str


@dataclass(frozen=True, kw_only=True)
class Method:
    """What was done, in words that may be public.

    Args:
        description: For Derivation Description (0008,2111): the mechanism, epsilon, weights and
            size; never a seed or a key.
        version: Of this tool.
        size: Pixels on a side of what the mechanism returns.
    """

    description: str
    version: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Source:
    """The three coded facts of the source that an output has to repeat.

    Args:
        kind: "CR", "DX" or "SC": the SOP class stays.
        burned_in: "NO" when the source states Burned In Annotation (0028,0301) NO, else "".
            Noise does not prove that text is gone, so only the source can say it.
        lossy: Whether the source was ever compressed with loss (0028,2110). Once true, that
            stays true of everything derived from it (PS3.3 C.7.6.1.1.5).
    """

    kind: str
    burned_in: str
    lossy: bool


def build(
    image: NDArray[np.float32], *, source: Source, identity: Identity, method: Method
) -> Dataset:
    """Returns a complete data set with file meta, ready to be saved.

    Args:
        image: (size, size) float32 in [0, 1], 0 is black, as the mechanism returned it.
        source: The coded facts of the source.
        identity: The pseudonyms.
        method: What was done.
    """
    _check(image, source, identity, method)
    dataset = Dataset()
    kind = source.kind
    for part in (
        _identity(identity),
        _marks(method),
        _description(kind),
        _picture(image),
        *((_dx(image),) if kind == "DX" else ()),
    ):
        for keyword, value in part.items():
            setattr(dataset, keyword, value)
    dataset.SOPClassUID = next(uid for uid, of in KINDS.items() if of == kind)
    if source.burned_in:
        dataset.BurnedInAnnotation = source.burned_in
    if source.lossy:
        dataset.LossyImageCompression = "01"
    if source.lossy and kind == "DX":
        # Type 1C in DX. The source's own ratio is different for each image and would tell which
        # one it was; PS3.3 wants an approximate one, and this is a usual one.
        dataset.LossyImageCompressionRatio = "10"
    dataset.file_meta = _file_meta(dataset)
    return dataset


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "PatientID": identity.patient,
        # The same pseudonym, as a family name: many viewers show nothing else of a patient.
        "PatientName": f"{identity.patient}^",
        "StudyInstanceUID": identity.study,
        "SeriesInstanceUID": identity.series,
        "SOPInstanceUID": identity.instance,
        # Type 2, PS3.3 C.7.1 to C.7.5: present and empty.
        "PatientBirthDate": "",
        "PatientSex": "",
        "StudyDate": "",
        "StudyTime": "",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "StudyID": "",
        "SeriesNumber": None,
        "InstanceNumber": None,
    }


def _marks(method: Method) -> dict[str, Any]:
    """The marks of de-identification and derivation, PS3.15 E.1.1 and PS3.3 C.7.6.1.

    113101 Clean Pixel Data and 113102 Clean Recognizable Visual Features are claims that need
    evidence about the pixels; nothing here has it, so neither they nor Recognizable Visual
    Features (0028,0302) are ever written.
    """
    ours = _code("LATENT-DP", "99LATENTDP", "Noise in the latent space of a flow")
    ours.CodingSchemeVersion = method.version.partition("+")[0][:16]
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = [_code("109104", "DCM", "De-identifying Equipment")]
    equipment.Manufacturer = "latentdp"
    equipment.SoftwareVersions = method.version
    return {
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": [
            "PS3.15 Basic Application Confidentiality Profile",
            "latentdp: header from an allow-list, pixels from a mechanism",
        ],
        "DeidentificationMethodCodeSequence": [
            _code("113100", "DCM", "Basic Application Confidentiality Profile"),
            ours,
        ],
        "LongitudinalTemporalInformationModified": "REMOVED",
        "ContributingEquipmentSequence": [equipment],
        "DerivationDescription": method.description,
        "DerivationCodeSequence": [_code("113085", "DCM", "Spatial resampling")],
        "Manufacturer": "latentdp",
        "SoftwareVersions": method.version,
    }


def _description(kind: str) -> dict[str, Any]:
    """What all images of a kind share: what they show is the same, or is not told."""
    shared = {
        # Derived: what it is derived from is not original any more. Value 3 has to be there and
        # be empty in DX, PS3.3 C.8.11.3.1.1.
        "ImageType": ["DERIVED", "SECONDARY", ""] if kind == "DX" else ["DERIVED", "SECONDARY"],
        "BodyPartExamined": "CHEST",
        # Which side is which is what the picture shows; CR and SC need not state it.
        "PatientOrientation": None,
    }
    if kind == "CR":
        return shared | {"Modality": "CR", "ViewPosition": ""}
    if kind == "SC":
        # The source may have said CR, DX or nothing; a picture out of a workstation is neither.
        return shared | {"Modality": "OT", "ConversionType": "WSD"}
    return shared | {"Modality": "DX"}


def _picture(image: NDArray[np.float32]) -> dict[str, Any]:
    """12 bits in 16, shown whole. Rows of 16-bit words are of even length (PS3.5 8.1.1)."""
    rows, columns = image.shape
    stored = np.rint(image.astype(np.float64) * (_LEVELS - 1)).astype("<u2")
    return {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": 16,
        "BitsStored": _BITS,
        "HighBit": _BITS - 1,
        "PixelRepresentation": 0,
        "WindowCenter": str(_LEVELS // 2),
        "WindowWidth": str(_LEVELS),
        "RescaleIntercept": "0",
        "RescaleSlope": "1",
        "RescaleType": "US",
        "PixelData": stored.tobytes(),
    }


def _dx(image: NDArray[np.float32]) -> dict[str, Any]:
    """What DX needs besides, PS3.3 A.26 and C.8.11: types 1 and 2, constants all."""
    spacing = f"{_FIELD_MM / image.shape[0]:.6g}"
    return {
        "PresentationIntentType": "FOR PRESENTATION",
        # Type 2C: empty, as all dates are.
        "ContentDate": "",
        "ContentTime": "",
        "AnatomicRegionSequence": [_code("51185008", "SCT", "Chest")],
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


def _file_meta(dataset: Dataset) -> FileMetaDataset:
    """File meta (0002,xxxx) of our own; no source AE titles, no private information."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(_IMPLEMENTATION)
    meta.ImplementationVersionName = "LATENTDP_0_1"
    return meta


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def _check(image: NDArray[np.float32], source: Source, identity: Identity, method: Method) -> None:
    size = method.size
    if image.shape != (size, size) or not np.issubdtype(image.dtype, np.floating):
        raise InputError(f"expected a picture of {size} by {size} floats, got {image.shape}")
    if not (np.isfinite(image).all() and image.min() >= 0 and image.max() <= 1):
        raise InputError("expected a picture in [0, 1], got values outside or not finite")
    if source.kind not in KINDS.values() or source.burned_in not in ("NO", ""):
        raise InputError("expected kind CR, DX or SC and burned_in NO or empty, got another")
    if source.kind == "DX" and not source.burned_in:
        raise InputError("expected burned_in NO for DX, where it has to be stated, got empty")
    for uid in (identity.study, identity.series, identity.instance):
        # 2.25 only: a UID of the source, by mistake, does not get through.
        if not re.fullmatch(r"2\.25\.(0|[1-9][0-9]{0,38})", uid):
            raise InputError("expected new UIDs under 2.25, got another")
    if not re.fullmatch(r"LDP-[0-9A-F]{16}", identity.patient):
        raise InputError("expected a patient pseudonym LDP- and 16 hex digits, got another")
    # No character set (0008,0005) is written, so the text has to be ASCII; ST and LO lengths.
    for text, most in ((method.description, 1024), (method.version, 64)):
        if not re.fullmatch(rf"[ -\[\]-~]{{1,{most}}}", text):
            raise InputError(f"expected 1 to {most} ASCII characters in one line, got others")
