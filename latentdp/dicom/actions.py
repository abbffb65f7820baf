"""Every attribute that an output file may hold, and what it holds there.

`header.build` writes these and no others (a test compares them); `instance.inventory` and the
README are made from the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from latentdp.profile import Profile

__all__ = ["ACTIONS", "Action", "Holds", "attributes", "retained_by"]

Holds: TypeAlias = Literal[
    "constant",
    "pseudonym",
    "from the mechanism",
    "source value",
    "source value, cleaned",
    "source value, shifted",
]


@dataclass(frozen=True)
class Action:
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

ACTIONS: tuple[Action, ...] = (
    Action("ImageType", "constant"),
    Action("SOPClassUID", "source value"),
    Action("SOPInstanceUID", "pseudonym"),
    Action("StudyDate", "constant", _ALL, "shift_dates", _SHIFTED),
    Action("SeriesDate", None, _ALL, "shift_dates", _SHIFTED),
    Action("AcquisitionDate", None, _ALL, "shift_dates", _SHIFTED),
    Action("ContentDate", "constant", _ALL, "shift_dates", _SHIFTED),
    Action("StudyTime", "constant"),
    Action("ContentTime", "constant", _DX),
    Action("AccessionNumber", "constant"),
    Action("Modality", "constant"),
    Action("ConversionType", "constant", _SC),
    Action("PresentationIntentType", "constant", _DX),
    Action("Manufacturer", "constant", _ALL, "retain_device", _CLEANED),
    Action("ReferringPhysicianName", "constant"),
    Action("ManufacturerModelName", None, _ALL, "retain_device", _CLEANED),
    Action("DerivationDescription", "constant"),
    Action("AnatomicRegionSequence", "constant", _DX),
    Action("DerivationCodeSequence", "constant"),
    Action("PatientName", "pseudonym"),
    Action("PatientID", "pseudonym"),
    Action("PatientBirthDate", "constant"),
    Action("PatientSex", "constant", _ALL, "retain_characteristics", _CLEANED),
    Action("PatientAge", None, _ALL, "retain_characteristics", _CLEANED),
    Action("PatientIdentityRemoved", "constant"),
    Action("DeidentificationMethod", "constant"),
    Action("DeidentificationMethodCodeSequence", "constant"),
    Action("BodyPartExamined", "constant"),
    # That of the maker named beside it; ours stands in Contributing Equipment in any case.
    Action("SoftwareVersions", "constant", _ALL, "retain_device", None),
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
    Action("BurnedInAnnotation", "source value", _ALL, "accept_burned_in", "constant"),
    Action("RecognizableVisualFeatures", None, _ALL, "evidence", "constant"),
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
