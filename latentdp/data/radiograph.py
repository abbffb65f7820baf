"""One input file and one output file, DICOM or picture, behind the same two functions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.core.filesystem import digest
from latentdp.data import png
from latentdp.data.dicom import examination as header
from latentdp.data.dicom import instance as dicom
from latentdp.data.dicom import released
from latentdp.data.dicom.examination import Examination
from latentdp.data.dicom.header import Identity, Provenance, Source
from latentdp.data.dicom.profile import BASIC, Profile
from latentdp.data.npz import SUFFIX, archive_texts, encode_archive, read_archive
from latentdp.data.png import encode_picture, is_picture, read_picture, texts
from latentdp.data.preprocess import resize

__all__ = [
    "Identity",
    "Provenance",
    "Radiograph",
    "Source",
    "digest",
    "elements",
    "encode",
    "examination",
    "identity",
    "look",
    "patient",
    "read",
    "reader",
    "released_identity",
    "suffix",
]

_IDENTIFIERS = {  # keyword of the text of an output without a header: attribute of `Identity`
    "PatientID": "patient",
    "StudyInstanceUID": "study",
    "SeriesInstanceUID": "series",
    "SOPInstanceUID": "instance",
}


@dataclass(frozen=True, kw_only=True)
class Radiograph:
    """What is taken from one input.

    Attributes:
        image: ``(h, w)`` float32 in [0, 1], already of the flow's size.
        picture: SHA-256 of the image and of its kind (DICOM or not).
        whole: SHA-256 of the picture before it was resized, in whatever file it came; empty where
            a patient is named.
        source: What a DICOM output has to know of its source; None for a picture that comes out as
            one.
        patient: The patient's identifier in its normal form; empty where there is none.
        spelled: The same as version 0.1 took it.
        study: UID of the study in the source; empty where there is none.
        series: UID of the series in the source; empty where there is none.
        instance: UID of the instance in the source; empty where there is none.
    """

    image: NDArray[np.float32]
    picture: str
    whole: str = ""
    source: Source | None = None
    patient: str = ""
    spelled: str = ""
    study: str = ""
    series: str = ""
    instance: str = ""

    @property
    def said(self) -> Identity:
        """The identifiers that the source states."""
        return Identity(
            patient=self.patient, study=self.study, series=self.series, instance=self.instance
        )


def reader(path: Path, content: bytes | None = None) -> str:
    """Who reads a file: ``picture`` by its suffix, unless it is DICOM under that name.

    Args:
        path: Of the file.
        content: Its bytes, if they were read already.
    """
    source = path if content is None else content
    return "picture" if is_picture(path) and not dicom.looks_like_dicom(source) else "dicom"


def read(
    path: Path,
    shape: tuple[int, int],
    profile: Profile = BASIC,
    content: bytes | None = None,
) -> Radiograph:
    """Reads one file, resizes its image to ``shape``, and takes what ``profile`` retains.

    Args:
        path: Of the file.
        shape: Height and width in pixels.
        profile: What to retain of a header.
        content: The file's bytes, if they were read already; the file itself is then left alone.

    Raises:
        UnsupportedInstance: For whatever the file holds that cannot be handled.
    """
    source_file = path if content is None else content
    if reader(path, content) == "picture":
        picture = read_picture(source_file)
        image = resize(picture, shape)
        source = dicom.captured(profile) if profile.file_format == "dicom" else None
        return Radiograph(
            image=image, picture=_picture("png", image), whole=_whole(picture), source=source
        )
    instance = dicom.read(source_file, profile, needed=shape)
    image = resize(instance.pixels, shape)
    return Radiograph(
        image=image,
        picture=_picture("dicom", image),
        whole="" if instance.patient else _whole(instance.pixels),
        source=instance.source,
        patient=instance.patient,
        spelled=instance.spelled,
        study=instance.study,
        series=instance.series,
        instance=instance.instance,
    )


def identity(path: Path) -> Identity:
    """What a DICOM file, source or output, says of itself; "" for what it does not say.

    Raises:
        UnsupportedInstance: It is none, or cannot be read.
    """
    return dicom.identity(path)


def released_identity(path: Path) -> Identity:
    """The pseudonyms that an output states; "" for what it does not, as pictures of 0.1.

    Raises:
        UnsupportedInstance: It is no output of ours, or was damaged since.
    """
    if reader(path) == "dicom" and path.suffix != SUFFIX:
        return dicom.identity(path)
    said = {place.rpartition(" ")[2]: value for place, value in elements(path)}
    patient, study, series, instance = (said.get(key, "") for key in _IDENTIFIERS)
    return Identity(patient=patient, study=study, series=series, instance=instance)


def patient(path: Path) -> tuple[str, str]:
    """Whose a file is: `Radiograph.patient` and ``spelled``, without its pixels.

    Both are empty for a picture.

    Raises:
        UnsupportedInstance: A DICOM file that cannot be read.
    """
    return ("", "") if reader(path) == "picture" else dicom.patient(path)


def examination(path: Path, profile: Profile = BASIC) -> Examination:
    """What the header of a file says of its examination; nothing of a picture.

    Raises:
        UnsupportedInstance: The header says that it cannot be released.
    """
    if reader(path) == "picture":
        return Examination()
    return header.examination(path, profile)


def encode(
    image: NDArray[np.float32], source: Source | None, identity: Identity, method: Provenance
) -> bytes:
    """The file of a private image of the method's size.

    Args:
        image: ``(h, w)`` in [0, 1].
        source: Coded facts of the source; None for a picture.
        identity: The pseudonyms.
        method: What was done; its profile says in which format, else a picture gives a PNG.
    """
    if suffix(source, method.profile) == ".dcm":
        assert source is not None
        return dicom.encode(image, source=source, identity=identity, method=method)
    texts = {
        "Title": method.title,
        "Description": method.description,
        **{key: getattr(identity, part) for key, part in _IDENTIFIERS.items()},
    }
    if suffix(source, method.profile) == SUFFIX:
        return encode_archive(image, texts)
    return encode_picture(image, texts)


def suffix(source: Source | None, profile: Profile) -> str:
    """File name suffix of an output."""
    usual = "png" if source is None else "dicom"
    return {"dicom": ".dcm", "png": ".png", "npz": SUFFIX}[profile.file_format or usual]


def _picture(kind: str, image: NDArray[np.float32]) -> str:
    said = f"{kind} {image.shape}".encode()
    return hashlib.sha256(said + np.ascontiguousarray(image).tobytes()).hexdigest()


def _whole(image: NDArray[np.float32]) -> str:
    # In 16 bits, so that a picture saved with twice its bits is the same to the last one.
    levels = np.rint(np.clip(image, 0, 1) * 65535).astype(">u2")
    return hashlib.sha256(f"{levels.shape}".encode() + levels.tobytes()).hexdigest()


def look(path: Path) -> NDArray[np.float32]:
    """The image ``(h, w)`` in [0, 1] of an output, to be looked at; 0 is black.

    Raises:
        UnsupportedInstance: It is no output of ours, or was damaged since.
    """
    if path.suffix == SUFFIX:
        return read_archive(path)
    return png.look(path) if reader(path) == "picture" else released.picture(path)


def elements(path: Path) -> list[tuple[str, str]]:
    """Everything that an output says in words: the place of each element, and its value.

    Raises:
        UnsupportedInstance: It is no output of ours, or was damaged since.
    """
    if path.suffix == SUFFIX:
        return [(f"NPZ {name}", value) for name, value in archive_texts(path)]
    return texts(path) if reader(path) == "picture" else released.elements(path)
