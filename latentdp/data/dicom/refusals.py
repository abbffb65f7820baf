"""Which DICOM files are not taken, and why.

A refusal names the tag that decided, never the value found there: even a code string is text
that somebody typed, and may hold a name.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from latentdp.data.patient_id import normal_form
from latentdp.errors import UnsupportedInstance

__all__ = [
    "KINDS",
    "REASONS",
    "burned_in",
    "check",
    "kind_of",
    "orientation",
    "single",
    "stated",
]

REASONS = MappingProxyType(
    {
        "not-dicom": "not a DICOM file (no DICM after the preamble)",
        "unreadable": "truncated, corrupt or contradicting itself",
        "dicomdir": "a directory of other files, without an image",
        "not-a-radiograph": "another kind of object than a CR, DX or secondary capture",
        "for-processing": "raw detector data, not meant for display",
        "multi-frame": "more than one frame",
        "colour": "not a single grey channel",
        "burned-in": "text may be burned into the pixels, and `--accept-burned-in` is not given",
        "not-chest": "another part of the body",
        "not-frontal": "a lateral, oblique or decubitus view",
        "not-human": "an animal",
        "too-small": "fewer than 64 pixels on a side",
        "too-large": "more pixels, or bytes, than a radiograph has",
        "bits": "a way of storing numbers that is not supported",
        "codec": "compressed in a way that needs another package",
        "no-pixels": "without pixel data",
        "blank": "the same grey everywhere",
    }
)

# SOP class UIDs, PS3.4 B.5.
KINDS = MappingProxyType(
    {
        "1.2.840.10008.5.1.4.1.1.1": "CR",
        "1.2.840.10008.5.1.4.1.1.1.1": "DX",
        "1.2.840.10008.5.1.4.1.1.7": "SC",
    }
)
_DICOMDIR = "1.2.840.10008.1.3.10"
_DX_FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
_MULTI_FRAME_SC = tuple(f"1.2.840.10008.5.1.4.1.1.7.{n}" for n in (1, 2, 3, 4))


def _split(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[A-Z]+", text.upper()))


_CHEST = _split("chest thorax thoracic lung lungs rib ribs ribcage heart")
_FRONTAL = _split("ap pa frontal anteroposterior posteroanterior antero postero")
_NOT_FRONTAL = _split(
    "ll rl lat lateral llat rlat lld rld llo rlo lao rao lpo rpo obl oblique decubitus "
    "lateromedial mediolateral"
)
_ANIMAL = _split("canine feline equine veterinary veterinarian")
_ELSEWHERE = _split(
    "tooth teeth dental skull neck shoulder elbow wrist hand spine lumbar cervical abdomen "
    "pelvis hip femur knee tibia leg ankle foot"
)


def kind_of(dataset: Dataset) -> str:
    """Returns "CR", "DX" or "SC" by the SOP class (0008,0016), or refuses."""
    sop_class = single(dataset, "SOPClassUID")
    stored = str(dataset.file_meta.get("MediaStorageSOPClassUID", ""))
    if _DICOMDIR in (sop_class, stored):
        raise UnsupportedInstance(
            "dicomdir", "expected an image, got a DICOMDIR: give the folder of its files"
        )
    intent = _text(dataset, "PresentationIntentType")
    if sop_class == _DX_FOR_PROCESSING or intent == "FOR PROCESSING":
        raise UnsupportedInstance(
            "for-processing",
            "expected an image FOR PRESENTATION (0008,0068), got one FOR PROCESSING",
        )
    if sop_class in _MULTI_FRAME_SC:
        raise UnsupportedInstance(
            "multi-frame", "expected one frame, got a multi-frame SOP class (0008,0016)"
        )
    kind = KINDS.get(sop_class)
    if kind is None:
        raise UnsupportedInstance(
            "not-a-radiograph",
            "expected a CR, DX or secondary capture image (0008,0016), got another SOP class",
        )
    # A secondary capture may be a capture of anything; many public sets hold radiographs so.
    if kind == "SC" and _text(dataset, "Modality") not in ("CR", "DX", "RG", "OT", ""):
        raise UnsupportedInstance(
            "not-a-radiograph",
            "expected Modality (0008,0060) CR, DX, RG or OT in a secondary capture, got another",
        )
    return kind


def check(dataset: Dataset, kind: str, *, reviewed: bool) -> None:
    """Refuses what the header tells: colour, frames, text, species, body part and view.

    Args:
        dataset: Of a file.
        kind: Of CR, DX and SC.
        reviewed: Whether a person has looked for text in the pixels.
    """
    _check_picture(dataset)
    if not reviewed:
        _check_text(dataset, kind)
    _check_species(dataset)
    _check_part(dataset)
    _check_view(dataset)


def burned_in(dataset: Dataset) -> str:
    """Returns "NO" when BurnedInAnnotation (0028,0301) says so, else ""."""
    return "NO" if _text(dataset, "BurnedInAnnotation") == "NO" else ""


def orientation(dataset: Dataset) -> tuple[str, str]:
    """Returns whither rows and columns run, Patient Orientation (0020,0020), PS3.3 C.7.6.1.1.1.

    Of each direction the first letter (L, R, A, P, H, F), or two empty texts when not both are
    stated.
    """
    letters = [direction[:1] for direction in _text(dataset, "PatientOrientation").split()]
    return (letters[0], letters[1]) if len(letters) == 2 else ("", "")


def single(dataset: Dataset, keyword: str) -> str:
    """Returns the one value of an identifier in its normal form, "" when missing or blank.

    Raises:
        UnsupportedInstance: As `stated`.
    """
    return normal_form(stated(dataset, keyword))


def stated(dataset: Dataset, keyword: str) -> str:
    """Returns the one value of an identifier without spaces and NUL at its ends.

    Several values, or bytes instead of text, are refused: joining them could make two patients
    into one, or one into two.
    """
    value = dataset.get(keyword)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnsupportedInstance(
            "unreadable", f"expected one text value of {keyword}, got several or another type"
        )
    if "\N{REPLACEMENT CHARACTER}" in value:
        raise UnsupportedInstance(
            "unreadable", f"expected {keyword} in the character set that the file states"
        )
    return value.strip(" \0")


def _check_picture(dataset: Dataset) -> None:
    if "PixelData" not in dataset or not dataset.PixelData:
        raise UnsupportedInstance("no-pixels", "expected Pixel Data (7FE0,0010), got none")
    if _text(dataset, "NumberOfFrames") not in ("", "0", "1"):
        raise UnsupportedInstance(
            "multi-frame", "expected Number of Frames (0028,0008) 1, got another"
        )
    if dataset.get("SamplesPerPixel", 1) != 1:
        raise UnsupportedInstance(
            "colour", "expected Samples per Pixel (0028,0002) 1, got another"
        )
    if _text(dataset, "PhotometricInterpretation") not in ("MONOCHROME1", "MONOCHROME2"):
        raise UnsupportedInstance(
            "colour",
            "expected Photometric Interpretation (0028,0004) MONOCHROME1 or MONOCHROME2, "
            "got another value",
        )


def _check_text(dataset: Dataset, kind: str) -> None:
    if _text(dataset, "BurnedInAnnotation") == "YES":
        raise UnsupportedInstance(
            "burned-in",
            "expected no text in the pixels, got BurnedInAnnotation (0028,0301) YES; look at "
            "the pixels of all files, then give --accept-burned-in",
        )
    # Type 1 in DX, PS3.3 C.8.11.3: the output has to state it, and only the source can know.
    if kind == "DX" and burned_in(dataset) != "NO":
        raise UnsupportedInstance(
            "burned-in",
            "expected a DX image to state BurnedInAnnotation (0028,0301) NO, got none or "
            "another; look at the pixels of all files, then give --accept-burned-in",
        )


def _check_species(dataset: Dataset) -> None:
    species = _words(dataset, "PatientSpeciesDescription", "PatientSpeciesCodeSequence")
    breed = _words(dataset, "PatientBreedDescription", "PatientBreedCodeSequence")
    # Veterinary systems often leave the species out and say it in these only.
    descriptions = _words(
        dataset,
        "AcquisitionDeviceProcessingDescription",
        "InstitutionName",
        "PerformedProtocolCodeSequence",
        "ProtocolName",
        "SeriesDescription",
        "StudyDescription",
    )
    if (species and not species & {"HUMAN", "SAPIENS"}) or breed or descriptions & _ANIMAL:
        raise UnsupportedInstance(
            "not-human",
            "expected a human patient by species (0010,2201), (0010,2202), breed (0010,2292) and "
            "the descriptions, got an animal",
        )


def _check_part(dataset: Dataset) -> None:
    part = _words(dataset, "BodyPartExamined") or _words(dataset, "AnatomicRegionSequence")
    if part:
        elsewhere = not part & _CHEST or "SPINE" in part
    else:
        descriptions = _words(dataset, "StudyDescription", "SeriesDescription", "ProtocolName")
        elsewhere = bool(descriptions & _ELSEWHERE) and not descriptions & _CHEST
    if elsewhere:
        raise UnsupportedInstance(
            "not-chest",
            "expected a chest by Body Part Examined (0018,0015), Anatomic Region (0008,2218) or "
            "the descriptions, got another part",
        )


def _check_view(dataset: Dataset) -> None:
    view = _words(dataset, "ViewPosition", "ViewCodeSequence")
    if not view:
        view = _words(dataset, "SeriesDescription", "AcquisitionDeviceProcessingDescription")
        view = frozenset() if view & _FRONTAL else view
    # In a frontal view rows run to a side; in a lateral one to the front or the back.
    row, column = orientation(dataset)
    sideways = row + column not in ("", "LF", "RF", "LH", "RH")
    if view & _NOT_FRONTAL or sideways:
        raise UnsupportedInstance(
            "not-frontal",
            "expected a frontal view by View Position (0018,5101), View Code (0054,0220) or "
            "Patient Orientation (0020,0020), got another",
        )


def _text(dataset: Dataset, keyword: str) -> str:
    """Returns the values of an element as one upper-case text, "" when missing."""
    value = dataset.get(keyword)
    values = value if isinstance(value, MultiValue) else [value]
    return " ".join(str(v).strip(" \0") for v in values if v is not None).upper()


def _words(dataset: Dataset, *keywords: str) -> frozenset[str]:
    """Returns the words of texts, and of the meanings (0008,0104) in sequences of codes."""
    texts: list[str] = []
    for keyword in keywords:
        value = dataset.get(keyword)
        if isinstance(value, Sequence):
            texts += (_text(item, "CodeMeaning") for item in value)
        else:
            texts.append(_text(dataset, keyword))
    return _split(" ".join(texts))
