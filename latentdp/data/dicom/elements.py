"""What is read of a file, element by element; nothing else in it can refuse a radiograph.

A hospital's file holds hundreds of elements, private ones among them, and every tenth archive has
one of a wrong length somewhere. Only those named here are parsed. One of them that cannot be is
told by its tag.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from pydicom.datadict import dictionary_description, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from latentdp.errors import UnsupportedInstance

__all__ = [
    "NEEDED",
    "Code",
    "codes",
    "integer",
    "name",
    "named",
    "number",
    "parse",
    "tags",
    "text",
]

_KEYWORDS = (
    # What it is: the kind of object, its identifiers, whose it is.
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality",
    "PresentationIntentType", "DirectoryRecordSequence", "AccessionNumber", "PatientID",
    "IssuerOfPatientID", "PatientSpeciesDescription", "PatientSpeciesCodeSequence",
    "PatientBreedDescription", "PatientBreedCodeSequence", "InstitutionName",
    # What it shows.
    "BodyPartExamined", "AnatomicRegionSequence", "ViewPosition", "ViewCodeSequence",
    "PatientOrientation", "SeriesDescription", "ProtocolName", "StudyDescription",
    "AcquisitionDeviceProcessingDescription", "PerformedProcedureStepDescription",
    "PerformedProtocolCodeSequence", "ProcedureCodeSequence", "RequestedProcedureDescription",
    # What an option retains.
    "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "PatientSex", "PatientAge",
    "PatientBirthDate", "Manufacturer", "ManufacturerModelName",
    # The pixels, and how they become a picture.
    "BurnedInAnnotation", "LossyImageCompression", "NumberOfFrames", "SamplesPerPixel",
    "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "ModalityLUTSequence", "RescaleSlope", "RescaleIntercept",
    "VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction", "PresentationLUTShape",
    "RedPaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableDescriptor", "BluePaletteColorLookupTableData", "PixelData",
    # In the items of sequences.
    "CodeValue", "LongCodeValue", "CodingSchemeDesignator", "CodeMeaning", "LUTDescriptor",
    "LUTData",
)  # fmt: skip
_SNOMED = ("SCT", "SRT", "SNM3", "99SDM", "SNOMED-RT", "SNOMED")  # PS3.16 8
# Where planes of an overlay lie in the unused bits of the pixels, PS3.3 C.9.2 of 2004.
_OVERLAY_BITS = tuple(Tag(0x6000 + 2 * plane, 0x0102) for plane in range(16))


class Code(NamedTuple):
    """A coded concept, PS3.3 8.

    Attributes:
        scheme: Coding Scheme Designator (0008,0102), in capitals.
        value: Code Value (0008,0100) or Long Code Value (0008,0119).
        meaning: Code Meaning (0008,0104), in whatever language.
    """

    scheme: str
    value: str
    meaning: str

    def is_among(self, values: Collection[str]) -> bool:
        """Whether it is one of these of SNOMED, under whatever name of that scheme."""
        return self.scheme in _SNOMED and self.value in values


def tags(keywords: Iterable[str]) -> tuple[BaseTag, ...]:
    """Of keywords that the dictionary knows."""
    numbers = map(tag_for_keyword, keywords)
    return tuple(Tag(number) for number in numbers if number is not None)


NEEDED = (*tags(_KEYWORDS), *_OVERLAY_BITS)


def name(tag: int) -> str:
    """A tag as messages tell it: "Bits Stored (0028,0101)"."""
    known = dictionary_description(tag) if keyword_for_tag(tag) else ""
    return f"{known} ({tag >> 16:04X},{tag & 0xFFFF:04X})".lstrip()


def named(keyword: str) -> str:
    """The tag of a keyword, as messages tell it."""
    return name(tags([keyword])[0])


def parse(dataset: Dataset, wanted: frozenset[int] | None) -> None:
    """Parses elements at all levels; pydicom does so on access, and corrupt ones would show later.

    Args:
        dataset: As it was read.
        wanted: Tags of those to parse, None for all.

    Raises:
        UnsupportedInstance: "unreadable", with the tag of the first that cannot be parsed.
    """
    for tag in list(dataset.keys()):
        if wanted is not None and tag not in wanted:
            continue
        for item in _items(dataset, tag):
            parse(item, wanted)


def text(dataset: Dataset, keyword: str) -> str:
    """The values of an element as one upper-case text, "" when missing."""
    value = dataset.get(keyword)
    values = value if isinstance(value, MultiValue) else [value]
    return " ".join(str(v).strip(" \0") for v in values if v is not None).upper()


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The value of an element that is a whole number, or None."""
    value = dataset.get(keyword)
    return int(value) if isinstance(value, int) else None


def number(value: object) -> float | None:
    """A value as a finite float, or None."""
    try:
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return result if math.isfinite(result) else None


def codes(dataset: Dataset, keyword: str) -> Iterator[Code]:
    """The items of a code sequence."""
    value = dataset.get(keyword)
    for item in value if isinstance(value, Sequence) else ():
        yield Code(
            scheme=text(item, "CodingSchemeDesignator"),
            value=text(item, "CodeValue") or text(item, "LongCodeValue"),
            meaning=text(item, "CodeMeaning"),
        )


def _items(dataset: Dataset, tag: BaseTag) -> Iterable[Dataset]:
    """Parses one element; the items of a sequence."""
    broken = False
    try:
        value = dataset[tag].value
    # pydicom raises nearly anything on corrupt bytes.
    except Exception:  # noqa: BLE001
        broken, value = True, None
    if broken:  # out here, so that the other exception, which quotes the value, does not hang on
        raise UnsupportedInstance(
            "unreadable", f"expected {name(tag)} as its type has it, got another length or form"
        )
    return value if isinstance(value, Sequence) else ()
