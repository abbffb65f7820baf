"""Which DICOM files are not taken, and why.

A refusal names the tag that decided, never the value found there: even a code string is text
that somebody typed, and may hold a name.
"""

from __future__ import annotations

from types import MappingProxyType

from pydicom.dataset import Dataset

from latentdp.data.dicom.anatomy import check_part
from latentdp.data.dicom.elements import codes, named, number, text
from latentdp.data.dicom.profile import Profile
from latentdp.data.dicom.views import check_view
from latentdp.data.dicom.vocabulary import Vocabulary, words
from latentdp.data.patient_id import normal_form
from latentdp.errors import UnsupportedInstance

__all__ = ["KINDS", "REASONS", "burned_in", "check", "check_header", "kind_of", "single", "stated"]

REASONS = MappingProxyType(
    {
        "not-dicom": "not a DICOM file: no DICM after the preamble, nor a bare data set",
        "unreadable": "truncated, corrupt or contradicting itself",
        "dicomdir": "a directory of other files, without an image",
        "not-a-radiograph": "another kind of object than a CR, DX or secondary capture",
        "for-processing": "raw detector data, not meant for display",
        "multi-frame": "more than one frame",
        "colour": "not grey: channels that differ",
        "burned-in": "text may be burned into the pixels, and `--accept-burned-in` is not given",
        "not-chest": "another part of the body, or an unknown one without `--all-chests`",
        "not-frontal": "a lateral, oblique or decubitus view, or an unknown one without "
        "`--all-frontal`",
        "not-human": "an animal",
        "too-small": "fewer than 64 pixels on a side",
        "too-large": "more pixels, or bytes, than a radiograph has",
        "bits": "numbers in a form that is not supported, or beyond their stated bits",
        "codec": "compressed in a way that is not supported or needs another package",
        "no-pixels": "without pixel data",
        "inverted": "two statements that contradict each other on which end of the greys is white",
        "blank": "hardly any grey: a picture that would be black, white or of two shades",
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


# Animals are told by these, as Latin and veterinarians have them, in most languages.
_ANIMAL = Vocabulary.of("CANINE FELINE EQUINE", "VETERIN TIERARZT TIERKLINI DIERENART")
_HUMAN = Vocabulary.of("HUMAN HUMANO HUMANA HUMAIN UMANO MENSCH MENS SAPIENS")
_DESCRIPTIONS = (
    "AcquisitionDeviceProcessingDescription",
    "InstitutionName",
    "ProtocolName",
    "SeriesDescription",
    "StudyDescription",
)
_HUMAN_CODES = frozenset({"337915000", "L-85003", "L-85B00"})


def kind_of(dataset: Dataset) -> str:
    """Returns "CR", "DX" or "SC" by the SOP class, or refuses.

    Research sets are often stripped to the pixels; the class then stands in the meta header only.
    """
    stored = str(dataset.file_meta.get("MediaStorageSOPClassUID", "")).strip(" \0")
    sop_class = single(dataset, "SOPClassUID") or stored
    if _DICOMDIR in (sop_class, stored):
        raise UnsupportedInstance(
            "dicomdir",
            "expected an image, got a DICOMDIR (0002,0002): give the folder of its files",
        )
    intent = text(dataset, "PresentationIntentType")
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
            "expected a CR, DX or secondary capture image by SOP Class (0008,0016) or, where it "
            "is missing, (0002,0002), got another SOP class or none",
        )
    # A secondary capture may be a capture of anything; many public sets hold radiographs so.
    if kind == "SC" and text(dataset, "Modality") not in ("CR", "DX", "DR", "XR", "RG", "OT", ""):
        raise UnsupportedInstance(
            "not-a-radiograph",
            "expected Modality (0008,0060) CR, DX, RG or OT in a secondary capture, got another",
        )
    return kind


def check(dataset: Dataset, kind: str, profile: Profile) -> None:
    """Refuses what has no pixels, and what `check_header` refuses."""
    if "PixelData" not in dataset or not dataset.PixelData:
        raise UnsupportedInstance("no-pixels", "expected Pixel Data (7FE0,0010), got none")
    check_header(dataset, kind, profile)


def check_header(dataset: Dataset, kind: str, profile: Profile) -> None:
    """Refuses what the header tells: frames, text, species, body part and view.

    Args:
        dataset: Of a file.
        kind: Of CR, DX and SC.
        profile: Says what a person knows of the inputs.
    """
    _check_frames(dataset)
    if not profile.accept_burned_in:
        _check_text(dataset, kind)
    _check_species(dataset)
    check_part(dataset, all_chests=profile.all_chests)
    check_view(dataset, all_frontal=profile.all_frontal)


def burned_in(dataset: Dataset) -> str:
    """Returns "NO" when BurnedInAnnotation (0028,0301) says so, else ""."""
    return "NO" if text(dataset, "BurnedInAnnotation") == "NO" else ""


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
            "unreadable",
            f"expected one text value of {named(keyword)}, got several or another type",
        )
    if "\N{REPLACEMENT CHARACTER}" in value:
        raise UnsupportedInstance(
            "unreadable",
            f"expected {named(keyword)} in the character set (0008,0005) that the file states",
        )
    return value.strip(" \0")


def _check_frames(dataset: Dataset) -> None:
    frames = text(dataset, "NumberOfFrames")
    if frames and number(frames) not in (0.0, 1.0):  # as a decimal too, "1.0"
        raise UnsupportedInstance(
            "multi-frame", "expected Number of Frames (0028,0008) 1, got another"
        )


def _check_text(dataset: Dataset, kind: str) -> None:
    if text(dataset, "BurnedInAnnotation") == "YES":
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
    species = [*codes(dataset, "PatientSpeciesCodeSequence")]
    human = any(code.is_among(_HUMAN_CODES) for code in species)
    named = words(text(dataset, "PatientSpeciesDescription"), *(code.meaning for code in species))
    breed = words(
        text(dataset, "PatientBreedDescription"),
        *(code.meaning for code in codes(dataset, "PatientBreedCodeSequence")),
    )
    # Veterinary systems often leave the species out and say it in these only.
    descriptions = words(
        *(text(dataset, keyword) for keyword in _DESCRIPTIONS),
        *(code.meaning for code in codes(dataset, "PerformedProtocolCodeSequence")),
    )
    another = not human and named and not _HUMAN.among(named)
    if another or breed or _ANIMAL.among(descriptions):
        raise UnsupportedInstance(
            "not-human",
            "expected a human patient by species (0010,2201), (0010,2202), breed (0010,2292) and "
            "the descriptions (0008,103E), (0018,1030), (0008,1030), got an animal",
        )
