"""The header of an output file: built new, from an allow-list of public constants.

No function here receives a source data set. What differs between two outputs is the pixels that
came out of the mechanism, the pseudonyms, the description of the method, and what `Source` holds:
three coded facts, and the cleaned values that an option of the profile retains. What is not in
`actions.ACTIONS` is not written, so attributes that nobody thought of, private ones included,
vanish by construction.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless

from latentdp.data.dicom.attributes import attributes
from latentdp.data.dicom.deidentification_codes import code, marks
from latentdp.data.dicom.profile import BASIC, Profile
from latentdp.data.dicom.refusals import KINDS
from latentdp.data.dicom.retention import MAX_DAYS, shifted
from latentdp.data.synthetic import title
from latentdp.errors import InputError

__all__ = ["Identity", "Provenance", "Source", "build"]

# Made once for this implementation (PS3.7 D.3.3.2), from a random UUID.
_IMPLEMENTATION = "2.25.112003587279240017518193621661157415916"
_BITS = 12
_LEVELS = 2**_BITS
# Real detectors are 350 to 430 mm wide; which one took the source is not told.
_FIELD_MM = 350.0
_RETAINED = ("source value, cleaned", "source value, shifted")
_COMPRESSED = {"jpeg-ls": JPEGLSLossless, "jpeg-2000": JPEG2000Lossless}


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The pseudonyms of one output, all derived with the vault's key.

    ``days`` is how much earlier than the truth the patient's dates are; 0 if none are retained.
    """

    patient: str
    study: str
    series: str
    instance: str
    days: int = 0


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What was done, in words that may be public.

    Args:
        description: For Derivation Description (0008,2111): the mechanism, epsilon, weights and
            size; never a seed or a key.
        private: Whether anything is guaranteed of the whole file; else the header claims nothing.
        central: Drawn from what was learnt of a whole cohort: there is no source.
        version: Of this tool.
        size: Pixels on a side of an output.
        profile: What is retained, and the transfer syntax.
    """

    description: str
    version: str
    size: int
    private: bool = False
    central: bool = False
    profile: Profile = BASIC

    @property
    def title(self) -> str:
        """What the image is, for whoever opens it."""
        return title(private=self.private)


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is told of the source: three coded facts, and what a profile retains.

    Args:
        kind: "CR", "DX" or "SC": the SOP class stays.
        burned_in: "NO" when the source states Burned In Annotation (0028,0301) NO, else "".
            Noise does not prove that text is gone, so only the source can say it.
        lossy: Whether the source was ever compressed with loss (0028,2110). Once true, that
            stays true of everything derived from it (PS3.3 C.7.6.1.1.5).
        retained: Keyword and cleaned value, dates not yet shifted; see `retained.retained`.
    """

    kind: str
    burned_in: str
    lossy: bool
    retained: Mapping[str, str] = field(default_factory=dict)


def build(
    image: NDArray[np.float32], *, source: Source, identity: Identity, method: Provenance
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
    kind, profile = source.kind, method.profile
    for part in (
        _identity(identity),
        marks(
            description=method.description,
            version=method.version,
            private=method.private,
            central=method.central,
            profile=profile,
        ),
        _equipment(method),
        _description(kind, method),
        _picture(image),
        *((_dx(image),) if kind == "DX" else ()),
        _retained(source, identity),
    ):
        for keyword, value in part.items():
            setattr(dataset, keyword, value)
    dataset.SOPClassUID = next(uid for uid, of in KINDS.items() if of == kind)
    if source.burned_in or profile.accept_burned_in:
        dataset.BurnedInAnnotation = "NO"
    if source.lossy:
        dataset.LossyImageCompression = "01"
    if source.lossy and kind == "DX":
        # Type 1C in DX. The source's own ratio is different for each image and would tell which
        # one it was; PS3.3 wants an approximate one, and this is a usual one.
        dataset.LossyImageCompressionRatio = "10"
    dataset.file_meta = _file_meta(dataset)
    if profile.transfer_syntax in _COMPRESSED:
        # Else pydicom would name the instance anew.
        dataset.compress(_COMPRESSED[profile.transfer_syntax], generate_instance_uid=False)
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


def _retained(source: Source, identity: Identity) -> dict[str, str]:
    return {
        keyword: shifted(value, identity.days) if keyword.endswith("Date") else value
        for keyword, value in source.retained.items()
    }


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


def _file_meta(dataset: Dataset) -> FileMetaDataset:
    """File meta (0002,xxxx) of our own; no source AE titles, no private information."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(_IMPLEMENTATION)
    meta.ImplementationVersionName = "LATENTDP_0_1"
    return meta


def _check(
    image: NDArray[np.float32], source: Source, identity: Identity, method: Provenance
) -> None:
    size = method.size
    if image.shape != (size, size) or not np.issubdtype(image.dtype, np.floating):
        raise InputError(f"expected a picture of {size} by {size} floats, got {image.shape}")
    if not (np.isfinite(image).all() and image.min() >= 0 and image.max() <= 1):
        raise InputError("expected a picture in [0, 1], got values outside or not finite")
    if source.kind not in KINDS.values() or source.burned_in not in ("NO", ""):
        raise InputError("expected kind CR, DX or SC and burned_in NO or empty, got another")
    profile = method.profile
    if source.kind == "DX" and not (source.burned_in or profile.accept_burned_in):
        raise InputError("expected burned_in NO for DX, where it has to be stated, got empty")
    held = attributes(profile, source.kind)
    expected = {keyword for keyword, holds in held.items() if holds in _RETAINED}
    if set(source.retained) != expected:
        raise InputError("expected exactly what the profile retains of the source, got another")
    if profile.shift_dates and not 1 <= identity.days <= MAX_DAYS:
        raise InputError(f"expected dates to be shifted by 1 to {MAX_DAYS} days, got another")
    for uid in (identity.study, identity.series, identity.instance):
        # 2.25 only: a UID of the source, by mistake, does not get through.
        if not re.fullmatch(r"2\.25\.(0|[1-9][0-9]{0,38})", uid):
            raise InputError("expected new UIDs under 2.25, got another")
    whose = "SYN" if method.central else "LDP"
    if not re.fullmatch(rf"{whose}-[0-9A-F]{{16}}", identity.patient):
        raise InputError(f"expected a patient pseudonym {whose}- and 16 hex digits, got another")
    # No character set (0008,0005) is written, so the text has to be ASCII; ST and LO lengths.
    for text, most in ((method.description, 1024), (method.version, 64)):
        if not re.fullmatch(rf"[ -\[\]-~]{{1,{most}}}", text):
            raise InputError(f"expected 1 to {most} ASCII characters in one line, got others")
