"""The marks of de-identification and derivation, PS3.15 E.1.1, E.3 and PS3.3 C.7.6.1.

Two claims are about pixels: 113101 Clean Pixel Data and 113102 Clean Recognizable Visual Features
(with Recognizable Visual Features (0028,0302) NO). A claim is written only with evidence, which
`Profile.claims` holds: a person's word for the first, an evaluation's numbers for the second.
"""

from __future__ import annotations

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

# What was done to the pixels: value and meaning of our own code, and a method's words.
_WITH_GUARANTEE = (
    "LATENT-DP",
    "Noise in the latent space of a flow",
    "pixels from a mechanism",
)
_WITHOUT_GUARANTEE = (
    "LATENT-NO-DP",
    "Latent space of a flow, without a guarantee of the whole",
    "no guarantee of the whole",
)


def marks(*, description: str, version: str, private: bool, profile: Profile) -> dict[str, Any]:
    """Returns keywords and values.

    Args:
        description: Of the derivation.
        version: Of this tool.
        private: Whether anything is guaranteed of the whole file.
        profile: Whose options are stated.
    """
    value, meaning, pixels = _WITH_GUARANTEE if private else _WITHOUT_GUARANTEE
    ours = code(value, "99LATENTDP", meaning)
    ours.CodingSchemeVersion = version.partition("+")[0][:16]
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = [code("109104", "DCM", "De-identifying Equipment")]
    equipment.Manufacturer = "latentdp"
    equipment.SoftwareVersions = version
    options = [pair for option, pair in _OPTIONS.items() if getattr(profile, option)]
    claims = [(claim.code, claim.meaning) for claim in profile.claims]
    cleaned = {"RecognizableVisualFeatures": "NO"} if profile.evidence else {}
    dates = "MODIFIED" if profile.shift_dates else "REMOVED"
    return {
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": [
            "PS3.15 Basic Application Confidentiality Profile",
            f"latentdp: header from an allow-list, {pixels}",
        ],
        "DeidentificationMethodCodeSequence": [
            code("113100", "DCM", "Basic Application Confidentiality Profile"),
            *(code(value, "DCM", meaning) for value, meaning in sorted(claims + options)),
            ours,
        ],
        **cleaned,
        "LongitudinalTemporalInformationModified": dates,
        "ContributingEquipmentSequence": [equipment],
        "DerivationDescription": description,
        "DerivationCodeSequence": [code("113085", "DCM", "Spatial resampling")],
    }


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Returns a coded item, PS3.3 8.8."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item
