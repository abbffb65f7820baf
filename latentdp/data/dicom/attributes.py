"""Every attribute that an output file may hold, and what it holds there.

`header.build` writes these and no others (a test compares them); `instance.inventory` and the
documentation are made from the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from latentdp.data.dicom.profile import Profile

__all__ = ["ACTIONS", "AttributeAction", "Holds", "attributes", "retained_by"]

Holds: TypeAlias = Literal[
    "constant",
    "pseudonym",
    "from the mechanism",
    "source value",
    "source value, cleaned",
    "source value, shifted",
]


@dataclass(frozen=True)
class AttributeAction:
    """What an output attribute holds, and in which kinds of image it may be written.

    "constant" is the same for all images of a release: it is public, or says what was done.

    Args:
        keyword: Of the attribute.
        holds: What it holds under the Basic Profile; None where it is not written.
        kinds: Of images that may have it.
        option: The field of `Profile` that changes that, "" for none.
        instead: What it holds under that option.
    """

    keyword: str
    holds: Holds | None
    kinds: tuple[str, ...] = ("CR", "DX", "SC")
    option: str = ""
    instead: Holds | None = None

    def under(self, profile: Profile) -> Holds | None:
        """What it holds under ``profile``."""
        return self.instead if self.option and getattr(profile, self.option) else self.holds


def attributes(profile: Profile, *kinds: str) -> dict[str, Holds]:
    """All that outputs of ``kinds`` (of any, if none is named) hold under ``profile``."""
    held = {a.keyword: a.under(profile) for a in ACTIONS if not kinds or {*kinds} & {*a.kinds}}
    return {keyword: holds for keyword, holds in held.items() if holds is not None}


def retained_by(option: str) -> tuple[str, ...]:
    """The attributes that an option takes from the source."""
    return tuple(
        action.keyword
        for action in ACTIONS
        if action.option == option and (action.instead or "").startswith("source value")
    )


_ALL, _DX, _CR, _SC = ("CR", "DX", "SC"), ("DX",), ("CR",), ("SC",)
_CLEANED: Holds = "source value, cleaned"
_SHIFTED: Holds = "source value, shifted"

ACTIONS: tuple[AttributeAction, ...] = (
    AttributeAction("ImageType", "constant"),
    AttributeAction("SOPClassUID", "source value"),
    AttributeAction("SOPInstanceUID", "pseudonym"),
    AttributeAction("SyntheticData", "constant"),
    AttributeAction("StudyDate", "constant", _ALL, "shift_dates", _SHIFTED),
    AttributeAction("SeriesDate", None, _ALL, "shift_dates", _SHIFTED),
    AttributeAction("AcquisitionDate", None, _ALL, "shift_dates", _SHIFTED),
    AttributeAction("ContentDate", "constant", _ALL, "shift_dates", _SHIFTED),
    AttributeAction("StudyTime", "constant"),
    AttributeAction("ContentTime", "constant", _DX),
    AttributeAction("AccessionNumber", "constant"),
    AttributeAction("Modality", "constant"),
    AttributeAction("ConversionType", "constant", _SC),
    AttributeAction("PresentationIntentType", "constant", _DX),
    AttributeAction("Manufacturer", "constant", _ALL, "retain_device", _CLEANED),
    AttributeAction("ReferringPhysicianName", "constant"),
    AttributeAction("CodingSchemeIdentificationSequence", "constant"),
    AttributeAction("SeriesDescription", "constant"),
    AttributeAction("ManufacturerModelName", None, _ALL, "retain_device", _CLEANED),
    AttributeAction("DerivationDescription", "constant"),
    AttributeAction("AnatomicRegionSequence", "constant", _DX),
    AttributeAction("DerivationCodeSequence", "constant"),
    AttributeAction("PatientName", "pseudonym"),
    AttributeAction("PatientID", "pseudonym"),
    AttributeAction("PatientBirthDate", "constant"),
    AttributeAction("PatientSex", "constant", _ALL, "retain_characteristics", _CLEANED),
    AttributeAction("PatientAge", None, _ALL, "retain_characteristics", _CLEANED),
    AttributeAction("PatientIdentityRemoved", "constant"),
    AttributeAction("DeidentificationMethod", "constant"),
    AttributeAction("DeidentificationMethodCodeSequence", "constant"),
    AttributeAction("BodyPartExamined", "constant"),
    # That of the maker named beside it; ours stands in Contributing Equipment in any case.
    AttributeAction("SoftwareVersions", "constant", _ALL, "retain_device", None),
    AttributeAction("ImagerPixelSpacing", "constant", _DX),
    AttributeAction("PositionerType", "constant", _DX),
    AttributeAction("ViewPosition", "constant", _CR),
    AttributeAction("DetectorType", "constant", _DX),
    AttributeAction("ContributingEquipmentSequence", "constant"),
    AttributeAction("StudyInstanceUID", "pseudonym"),
    AttributeAction("SeriesInstanceUID", "pseudonym"),
    AttributeAction("StudyID", "constant"),
    AttributeAction("SeriesNumber", "constant"),
    AttributeAction("InstanceNumber", "constant"),
    AttributeAction("PatientOrientation", "constant"),
    AttributeAction("ImageLaterality", "constant", _DX),
    AttributeAction("SamplesPerPixel", "constant"),
    AttributeAction("PhotometricInterpretation", "constant"),
    AttributeAction("Rows", "constant"),
    AttributeAction("Columns", "constant"),
    AttributeAction("BitsAllocated", "constant"),
    AttributeAction("BitsStored", "constant"),
    AttributeAction("HighBit", "constant"),
    AttributeAction("PixelRepresentation", "constant"),
    AttributeAction("BurnedInAnnotation", "source value", _ALL, "accept_burned_in", "constant"),
    AttributeAction("RecognizableVisualFeatures", None, _ALL, "evidence", "constant"),
    AttributeAction("LongitudinalTemporalInformationModified", "constant"),
    AttributeAction("PixelIntensityRelationship", "constant", _DX),
    AttributeAction("PixelIntensityRelationshipSign", "constant", _DX),
    AttributeAction("WindowCenter", "constant"),
    AttributeAction("WindowWidth", "constant"),
    AttributeAction("RescaleIntercept", "constant"),
    AttributeAction("RescaleSlope", "constant"),
    AttributeAction("RescaleType", "constant"),
    AttributeAction("LossyImageCompression", "source value"),
    AttributeAction("LossyImageCompressionRatio", "constant", _DX),
    AttributeAction("AcquisitionContextSequence", "constant", _DX),
    AttributeAction("PresentationLUTShape", "constant", _DX),
    AttributeAction("PixelData", "from the mechanism"),
)
