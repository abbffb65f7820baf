"""Every attribute that an output file may hold, and what it holds there.

`header.build` writes these and no others (a test compares them); `instance.inventory` and the
README are made from the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["ACTIONS", "Action", "Holds"]

Holds: TypeAlias = Literal["constant", "pseudonym", "from the mechanism", "source value"]


@dataclass(frozen=True)
class Action:
    """What an output attribute holds, and in which kinds of image it may be written.

    "constant" is the same for all images of a release: it is public, or says what was done.
    """

    keyword: str
    holds: Holds
    kinds: tuple[str, ...] = ("CR", "DX", "SC")


_DX, _CR, _SC = ("DX",), ("CR",), ("SC",)

ACTIONS: tuple[Action, ...] = (
    Action("ImageType", "constant"),
    Action("SOPClassUID", "source value"),
    Action("SOPInstanceUID", "pseudonym"),
    Action("StudyDate", "constant"),
    Action("ContentDate", "constant", _DX),
    Action("StudyTime", "constant"),
    Action("ContentTime", "constant", _DX),
    Action("AccessionNumber", "constant"),
    Action("Modality", "constant"),
    Action("ConversionType", "constant", _SC),
    Action("PresentationIntentType", "constant", _DX),
    Action("Manufacturer", "constant"),
    Action("ReferringPhysicianName", "constant"),
    Action("DerivationDescription", "constant"),
    Action("AnatomicRegionSequence", "constant", _DX),
    Action("DerivationCodeSequence", "constant"),
    Action("PatientName", "pseudonym"),
    Action("PatientID", "pseudonym"),
    Action("PatientBirthDate", "constant"),
    Action("PatientSex", "constant"),
    Action("PatientIdentityRemoved", "constant"),
    Action("DeidentificationMethod", "constant"),
    Action("DeidentificationMethodCodeSequence", "constant"),
    Action("BodyPartExamined", "constant"),
    Action("SoftwareVersions", "constant"),
    Action("ImagerPixelSpacing", "constant", _DX),
    Action("PositionerType", "constant", _DX),
    Action("ViewPosition", "constant", _CR),
    Action("DetectorType", "constant", _DX),
    Action("ContributingEquipmentSequence", "constant"),
    Action("StudyInstanceUID", "pseudonym"),
    Action("SeriesInstanceUID", "pseudonym"),
    Action("StudyID", "constant"),
    Action("SeriesNumber", "constant"),
    Action("InstanceNumber", "constant"),
    Action("PatientOrientation", "constant"),
    Action("ImageLaterality", "constant", _DX),
    Action("SamplesPerPixel", "constant"),
    Action("PhotometricInterpretation", "constant"),
    Action("Rows", "constant"),
    Action("Columns", "constant"),
    Action("BitsAllocated", "constant"),
    Action("BitsStored", "constant"),
    Action("HighBit", "constant"),
    Action("PixelRepresentation", "constant"),
    Action("BurnedInAnnotation", "source value"),
    Action("LongitudinalTemporalInformationModified", "constant"),
    Action("PixelIntensityRelationship", "constant", _DX),
    Action("PixelIntensityRelationshipSign", "constant", _DX),
    Action("WindowCenter", "constant"),
    Action("WindowWidth", "constant"),
    Action("RescaleIntercept", "constant"),
    Action("RescaleSlope", "constant"),
    Action("RescaleType", "constant"),
    Action("LossyImageCompression", "source value"),
    Action("LossyImageCompressionRatio", "constant", _DX),
    Action("AcquisitionContextSequence", "constant", _DX),
    Action("PresentationLUTShape", "constant", _DX),
    Action("PixelData", "from the mechanism"),
)
