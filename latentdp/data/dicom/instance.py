"""One image file in, one out.

`read` takes a file that may hold anything and either returns a picture with the few facts that
the rest of the tool needs, or refuses with `UnsupportedInstance`. No other exception, no warning
and no log line comes out of it: pydicom's would quote values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
)

from latentdp.data.dicom import header, pixels, refusals
from latentdp.data.dicom.attributes import attributes
from latentdp.data.dicom.bounded_file import bounded
from latentdp.data.dicom.elements import NEEDED, tags
from latentdp.data.dicom.file_format import is_dicom, read_elements
from latentdp.data.dicom.header import Identity, Provenance, Source
from latentdp.data.dicom.profile import BASIC, Profile
from latentdp.data.dicom.retention import retained
from latentdp.data.dicom.views import orientation
from latentdp.data.silence import silence
from latentdp.errors import UnsupportedInstance

__all__ = [
    "Instance",
    "captured",
    "encode",
    "guarded",
    "identity",
    "inventory",
    "looks_like_dicom",
    "patient",
    "read",
]

_PATIENT = ("PatientID", "IssuerOfPatientID")
_IDENTIFIERS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
# May be lossless all the same; then the flag is too careful by one bit.
_LOSSY = (HTJ2K, JPEG2000, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A chest radiograph as it came.

    Args:
        pixels: (h, w) float32 in [0, 1], 0 is black.
        source: The coded facts that the output repeats.
        patient: Patient ID (0010,0020); with its issuer (0010,0021), when given, behind a
            backslash, which neither can hold. Both in their normal form; "" when missing or blank.
        spelled: The same as version 0.1 took it, with all but spaces and NUL at the ends.
        study: Study Instance UID (0020,000D), "" when missing.
        series: Series Instance UID (0020,000E), "" when missing.
        instance: SOP Instance UID (0008,0018), "" when missing.
    """

    pixels: NDArray[np.float32]
    source: Source
    patient: str
    spelled: str
    study: str
    series: str
    instance: str

    @property
    def kind(self) -> str:
        """Which of CR, DX and SC it is."""
        return self.source.kind


def looks_like_dicom(source: Path | bytes) -> bool:
    """Returns whether a regular file, or the bytes of one, is one of DICOM, by its first bytes."""
    return is_dicom(source)


def read(
    source: Path | bytes, profile: Profile = BASIC, *, needed: tuple[int, int] | None = None
) -> Instance:
    """Reads one chest radiograph.

    Warnings and pydicom's log lines are silenced for the whole process while it runs.

    Args:
        source: Any file, or the bytes of one.
        profile: What to retain of the header.
        needed: Height and width to which the pixels will be reduced, so that a decoder may spare
            the finer ones; None for all pixels. Where no patient is named all are decoded: the
            picture then tells who is charged for it, whatever it will be reduced to.

    Raises:
        UnsupportedInstance: For any reason in `refusals.REASONS`.
    """
    return guarded(source, lambda dataset: _read(dataset, profile, needed))


def identity(path: Path) -> Identity:
    """Returns the identifiers that a file, source or output, states; "" for one it lacks.

    Raises:
        UnsupportedInstance: When the file is no DICOM file or cannot be read.
    """
    return guarded(path, _identity, tags(_IDENTIFIERS), pixels=False)


def patient(path: Path) -> tuple[str, str]:
    """Returns `Instance.patient` and `Instance.spelled`, from the header alone.

    Raises:
        UnsupportedInstance: When the file is no DICOM file or cannot be read.
    """
    return guarded(path, _whose, tags(_PATIENT), pixels=False)


def inventory(path: Path, profile: Profile = BASIC) -> list[tuple[str, str, str]]:
    """Returns what becomes of each top-level element of a file, without any value.

    Args:
        path: Of the file.
        profile: What is retained.

    Returns:
        Tag "(gggg,eeee)"; its keyword, "private" or "unknown"; and "removed" or what stands in
        its place in the output, as in `actions.ACTIONS`.

    Raises:
        UnsupportedInstance: When the file is no DICOM file, cannot be read, or is of a kind that
            has no output.
    """
    return guarded(path, lambda dataset: _inventory(dataset, profile), whole=True)


def captured(profile: Profile) -> Source:
    """What a DICOM output tells of a source that is none: a capture of which nothing is known."""
    return Source(kind="SC", burned_in="", lossy=False, retained=retained(Dataset(), profile))


def encode(
    image: NDArray[np.float32], *, source: Source, identity: Identity, method: Provenance
) -> bytes:
    """One output file; ``image`` is ``(h, w)`` in [0, 1]."""
    dataset, file = header.build(image, source=source, identity=identity, method=method), BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def guarded(
    source: Path | bytes,
    work: Callable[[FileDataset], _T],
    wanted: Collection[int] | None = NEEDED,
    *,
    whole: bool = False,
    pixels: bool = True,
) -> _T:
    """Runs ``work`` on a file; whatever goes wrong in there becomes `UnsupportedInstance`.

    Args:
        source: Any file, or the bytes of one.
        work: Is given the data set.
        wanted: Tags of what is parsed; None for all.
        whole: Whether the data set holds all else too, unparsed.
        pixels: Whether it holds the pixels.
    """
    if not looks_like_dicom(source):
        raise UnsupportedInstance(
            "not-dicom",
            "expected a DICOM file: DICM after 128 bytes, or a data set from the first byte on, "
            "got another",
        )
    try:
        with silence(), bounded(source) as file:
            return work(read_elements(file, wanted, whole=whole, pixels=pixels))
    except UnsupportedInstance:
        raise
    # pydicom and the decoders raise nearly anything on corrupt bytes (struct.error, KeyError,
    # NotImplementedError, RecursionError, MemoryError, ...), and one file must not end a batch.
    except Exception:  # noqa: BLE001, S110
        pass
    # Raised out here, so that the other exception, which quotes values, does not hang on to it.
    raise UnsupportedInstance(
        "unreadable", "expected a whole DICOM file, got a truncated, corrupt or odd one"
    )


def _read(dataset: FileDataset, profile: Profile, needed: tuple[int, int] | None) -> Instance:
    pixels.check_syntax(dataset.file_meta.TransferSyntaxUID)
    kind = refusals.kind_of(dataset)
    refusals.check(dataset, kind, profile)
    patient = _patient(dataset, refusals.single)
    image = pixels.picture(dataset, needed if patient else None)
    return Instance(
        pixels=_upright(image, *orientation(dataset)),
        source=Source(
            kind=kind,
            burned_in=refusals.burned_in(dataset),
            lossy=dataset.get("LossyImageCompression") == "01"
            or dataset.file_meta.TransferSyntaxUID in _LOSSY,
            retained=retained(dataset, profile),
        ),
        patient=patient,
        spelled=_patient(dataset, refusals.stated),
        study=refusals.single(dataset, "StudyInstanceUID"),
        series=refusals.single(dataset, "SeriesInstanceUID"),
        instance=refusals.single(dataset, "SOPInstanceUID"),
    )


def _whose(dataset: Dataset) -> tuple[str, str]:
    return _patient(dataset, refusals.single), _patient(dataset, refusals.stated)


def _patient(dataset: Dataset, value: Callable[[Dataset, str], str]) -> str:
    patient, issuer = (value(dataset, name) for name in _PATIENT)
    return f"{patient}\\{issuer}" if patient and issuer else patient


def _identity(dataset: FileDataset) -> Identity:
    patient, study, series, instance = (refusals.single(dataset, name) for name in _IDENTIFIERS)
    return Identity(patient=patient, study=study, series=series, instance=instance)


def _upright(image: NDArray[np.float32], row: str, column: str) -> NDArray[np.float32]:
    """Turns an image so that rows run to the patient's left and columns to the feet.

    So a radiograph is looked at: as if the patient faced the viewer. One that does not state its
    orientation is taken as it is.
    """
    return np.ascontiguousarray(image[:: -1 if column == "H" else 1, :: -1 if row == "R" else 1])


def _inventory(dataset: FileDataset, profile: Profile) -> list[tuple[str, str, str]]:
    """By tags alone: no element is parsed, as any may be odd."""
    kind = refusals.kind_of(dataset)
    held = attributes(profile, kind)
    return [
        (
            f"({tag.group:04X},{tag.element:04X})",
            "private" if tag.is_private else keyword_for_tag(tag) or "unknown",
            held.get(keyword_for_tag(tag), "removed"),
        )
        for tag in sorted(dataset.keys())
    ]
