"""The header of an output file: built new, from an allow-list of public constants.

No function here receives a source data set. What differs between two outputs is the pixels that
came out of the mechanism, the pseudonyms, the description of the method, and what `Source` holds:
three coded facts, and the cleaned values that an option of the profile retains. What is not in
`actions.ACTIONS` is not written, so attributes that nobody thought of, private ones included,
vanish by construction.

What outputs share comes encoded from `latentdp.data.dicom.shared_elements`, which knows no image.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydicom.charset import default_encoding
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless

from latentdp.data.dicom.attributes import attributes
from latentdp.data.dicom.profile import BASIC, Profile
from latentdp.data.dicom.refusals import KINDS
from latentdp.data.dicom.retention import MAX_DAYS, shifted
from latentdp.data.dicom.shared_elements import LEVELS, shared_elements
from latentdp.data.synthetic import title
from latentdp.errors import InputError

__all__ = ["Identity", "Provenance", "Source", "build"]

# Made once for this implementation (PS3.7 D.3.3.2), from a random UUID.
_IMPLEMENTATION = "2.25.112003587279240017518193621661157415916"
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
    shared = shared_elements(source.kind, source.burned_in, source.lossy, method)
    dataset = Dataset(dict(shared))
    dataset.set_original_encoding(False, True, default_encoding)  # explicit VR, little endian
    for keyword, value in (_identity(identity) | _retained(source, identity)).items():
        setattr(dataset, keyword, value)
    dataset.add_new("PixelData", "OW", _pixels(image))
    dataset.file_meta = _file_meta(dataset)
    syntax = method.profile.transfer_syntax
    if syntax in _COMPRESSED:
        # Else pydicom would name the instance anew.
        dataset.compress(_COMPRESSED[syntax], generate_instance_uid=False)
    return dataset


def _identity(identity: Identity) -> dict[str, str]:
    return {
        "PatientID": identity.patient,
        # The same pseudonym, as a family name: many viewers show nothing else of a patient.
        "PatientName": f"{identity.patient}^",
        "StudyInstanceUID": identity.study,
        "SeriesInstanceUID": identity.series,
        "SOPInstanceUID": identity.instance,
    }


def _retained(source: Source, identity: Identity) -> dict[str, str]:
    return {
        keyword: shifted(value, identity.days) if keyword.endswith("Date") else value
        for keyword, value in source.retained.items()
    }


def _pixels(image: NDArray[np.float32]) -> bytes:
    """Rows of 16-bit words are of even length (PS3.5 8.1.1)."""
    stored: NDArray[np.uint16] = np.rint(image.astype(np.float64) * (LEVELS - 1)).astype("<u2")
    return stored.tobytes()


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
