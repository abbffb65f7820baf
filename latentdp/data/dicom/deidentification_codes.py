"""The marks of de-identification and derivation, PS3.15 E.1.1, E.3 and PS3.3 C.7.6.1, C.12.4.

Two claims are about pixels: 113101 Clean Pixel Data and 113102 Clean Recognizable Visual Features
(with Recognizable Visual Features (0028,0302) NO). A claim is written only with evidence, which
`Profile.claims` holds: a person's word for the first, an evaluation's numbers for the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from latentdp.data.dicom.profile import Profile

__all__ = ["code", "marks"]

# Options of PS3.15 E.3 by field of `Profile`, codes of CID 7050.
_OPTIONS = {
    "shift_dates": (
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    "retain_characteristics": ("113108", "Retain Patient Characteristics Option"),
    "retain_device": ("113109", "Retain Device Identity Option"),
}

SCHEME = "99LATENTDP"  # a private one, PS3.16 8.2


@dataclass(frozen=True, kw_only=True)
class _Way:
    """A way in which pixels are made, each by a code of ours with its meaning.

    Attributes:
        hides: Code of what hides the patient.
        means: Meaning of that.
        makes: Code of how the image was derived.
        meant: Meaning of that.
        words: The method of de-identification.
    """

    hides: str
    means: str
    makes: str
    meant: str
    words: str


_WITH_GUARANTEE = _Way(
    hides="LATENT-DP",
    means="Noise in the latent space of a flow",
    makes="SYNTHETIC-DP",
    meant="Synthetic image, decoded from noised latents of a flow",
    words="pixels from a mechanism",
)
_WITHOUT_GUARANTEE = _Way(
    hides="LATENT-NO-DP",
    means="Latent space of a flow, without a guarantee of the whole",
    makes="SYNTHETIC",
    meant="Synthetic image, decoded from changed latents of a flow",
    words="no guarantee of the whole",
)
_CENTRAL = _Way(
    hides="COHORT-DP",
    means="Drawn from a generator, learnt from a cohort under noise",
    makes="SYNTHETIC-COHORT",
    meant="Synthetic image, drawn from a generator of a cohort",
    words="latentdp: drawn from a generator, no source image",
)


def marks(
    *, description: str, version: str, private: bool, profile: Profile, central: bool = False
) -> dict[str, Any]:
    """Returns keywords and values.

    Args:
        description: Of the derivation.
        version: Of this tool.
        private: Whether anything is guaranteed of the whole file.
        profile: Whose options are stated.
        central: Whether it was drawn from what was learnt of a whole cohort: no header was there
            to be cleaned.
    """
    way = _CENTRAL if central else _WITH_GUARANTEE if private else _WITHOUT_GUARANTEE
    ours, derived = _ours(way.hides, way.means, version), _ours(way.makes, way.meant, version)
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = [code("109104", "DCM", "De-identifying Equipment")]
    equipment.Manufacturer = "latentdp"
    equipment.SoftwareVersions = version
    options = [pair for option, pair in _OPTIONS.items() if getattr(profile, option)]
    claims = [(claim.code, claim.meaning) for claim in profile.claims]
    cleaned = {"RecognizableVisualFeatures": "NO"} if profile.evidence else {}
    dates = "MODIFIED" if profile.shift_dates else "REMOVED"
    methods = [
        "PS3.15 Basic Application Confidentiality Profile",
        f"latentdp: header from an allow-list, {way.words}",
    ]
    codes = [
        code("113100", "DCM", "Basic Application Confidentiality Profile"),
        *(code(value, "DCM", meaning) for value, meaning in sorted(claims + options)),
    ]
    return {
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": way.words if central else methods,
        "DeidentificationMethodCodeSequence": [*([] if central else codes), ours],
        **cleaned,
        "LongitudinalTemporalInformationModified": dates,
        "ContributingEquipmentSequence": [equipment],
        "DerivationDescription": description,
        "DerivationCodeSequence": [derived],
        "CodingSchemeIdentificationSequence": [_scheme(version)],
    }


def _ours(value: str, meaning: str, version: str) -> Dataset:
    item = code(value, SCHEME, meaning)
    item.CodingSchemeVersion = _version(version)
    return item


def _scheme(version: str) -> Dataset:
    """What our own coding scheme is, PS3.3 C.12.1 and 8.2."""
    item = Dataset()
    item.CodingSchemeDesignator = SCHEME
    item.CodingSchemeName = "Codes of latentdp"
    item.CodingSchemeVersion = _version(version)
    item.CodingSchemeResponsibleOrganization = "The latentdp authors"
    return item


def _version(version: str) -> str:
    return version.partition("+")[0][:16]  # SH


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Returns a coded item, PS3.3 8.8."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item
