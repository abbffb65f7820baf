"""What a release did to the attributes of its sources, each action beside its clauses."""

from __future__ import annotations

from collections.abc import Iterator

from latentdp.reports.compliance import ComplianceAction
from latentdp.reports.compliance_clauses import (
    ACCOUNTABLE,
    BASIC,
    CODES,
    DESIGN,
    EXPERT,
    HEADERS,
    IDENTIFIABLE,
    MINIMAL,
    PERSONAL,
    PSEUDONYM,
    SECURITY,
    Released,
    held,
)
from latentdp.reports.language import message

__all__ = ["header_actions"]

_EMPTY = (
    "PatientBirthDate",
    "PatientSex",
    "StudyTime",
    "ContentTime",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
_MARKS = (
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
    "ContributingEquipmentSequence",
    "DerivationDescription",
    "DerivationCodeSequence",
)


def header_actions(card: Released) -> Iterator[ComplianceAction]:
    """What became of the attributes of the sources."""
    yield ComplianceAction(
        action="header-rebuilt",
        what=message(
            "Every header is built new from a list of allowed attributes. All others are removed, "
            "at every level: private ones, overlays, curves and structured content too."
        ),
        attributes=tuple(card.header),
        dicom=("E.1.1 De-identifier", BASIC, "Table E.1-1 action X"),
        gdpr=(MINIMAL, DESIGN),
        hipaa=("164.514(b)(2)(i)(A)-(R)",),
        checked_by=HEADERS,
    )
    yield ComplianceAction(
        action="identifiers-emptied",
        what=message(
            "Attributes that the standard requires and that would tell of a person are left empty."
        ),
        attributes=held(card, _EMPTY, "constant"),
        dicom=(BASIC, "Table E.1-1 action Z"),
        gdpr=(MINIMAL,),
        hipaa=("164.514(b)(2)(i)(A)", "164.514(b)(2)(i)(C)", "164.514(b)(2)(i)(R)"),
        checked_by=HEADERS,
    )
    yield ComplianceAction(
        action="patient-pseudonymised",
        what=message(
            "Patient ID and name are replaced by one keyed pseudonym, which joins a patient's "
            "images. It is derived from the ID with a secret key that stays in the vault."
        ),
        attributes=held(card, ("PatientID", "PatientName"), "pseudonym"),
        dicom=(BASIC, "Table E.1-1 action D"),
        gdpr=(PSEUDONYM, SECURITY),
        hipaa=("164.514(b)(2)(i)(A)", "164.514(b)(2)(i)(H)", CODES),
        checked_by=HEADERS,
    )
    yield ComplianceAction(
        action="uids-replaced",
        what=message("UIDs of studies, series and instances are replaced by keyed new ones."),
        attributes=held(
            card, ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), "pseudonym"
        ),
        dicom=(BASIC, "Table E.1-1 action U"),
        gdpr=(PSEUDONYM, MINIMAL),
        hipaa=("164.514(b)(2)(i)(R)", CODES),
        checked_by=HEADERS,
    )
    yield from _options(card)
    yield ComplianceAction(
        action="marked-as-deidentified",
        what=message(
            "Each file says that identity was removed, by which method and which options, and "
            "how it was derived."
        ),
        attributes=held(card, _MARKS, "constant"),
        dicom=("E.1.1 De-identifier", "CID 7050"),
        gdpr=(ACCOUNTABLE,),
        hipaa=("164.514(b)(1)(ii)",),
        checked_by=HEADERS,
    )


def _options(card: Released) -> Iterator[ComplianceAction]:
    """Dates, characteristics and device: removed, or passed on by an option."""
    profile = card.recipe.profile
    if profile.shift_dates:
        yield ComplianceAction(
            action="dates-shifted",
            what=message(
                "Dates are passed on, moved by one secret number of days per patient; times are "
                "removed. No guarantee covers that."
            ),
            attributes=held(card, _DATES, "source value, shifted"),
            dicom=("E.3.6 Retain Longitudinal Temporal Information, Modified Dates (113107)",),
            gdpr=(PERSONAL, IDENTIFIABLE),
            hipaa=("164.514(b)(2)(i)(C)", EXPERT),
            passes_on=True,
            checked_by=HEADERS,
        )
    else:
        yield ComplianceAction(
            action="dates-removed",
            what=message("All dates and times are removed or left empty."),
            attributes=held(card, _DATES, "constant"),
            dicom=(BASIC, "Table E.1-1 actions X, Z"),
            gdpr=(MINIMAL,),
            hipaa=("164.514(b)(2)(i)(C)",),
            checked_by=HEADERS,
        )
    if profile.retain_characteristics:
        yield ComplianceAction(
            action="characteristics-retained",
            what=message(
                "The patient's sex and age (90 and over as 90) are passed on. No guarantee "
                "covers that."
            ),
            attributes=held(card, ("PatientSex", "PatientAge"), "source value, cleaned"),
            dicom=("E.3.7 Retain Patient Characteristics (113108)",),
            gdpr=(PERSONAL, IDENTIFIABLE),
            hipaa=("164.514(b)(2)(i)(C)", EXPERT),
            passes_on=True,
            checked_by=HEADERS,
        )
    if profile.retain_device:
        yield ComplianceAction(
            action="device-retained",
            what=message(
                "Maker and product line of the device are passed on, if they are known ones. No "
                "guarantee covers that."
            ),
            attributes=held(
                card, ("Manufacturer", "ManufacturerModelName"), "source value, cleaned"
            ),
            dicom=("E.3.8 Retain Device Identity (113109)",),
            gdpr=(IDENTIFIABLE,),
            hipaa=("164.514(b)(2)(i)(M)", EXPERT),
            passes_on=True,
            checked_by=HEADERS,
        )
    else:
        yield ComplianceAction(
            action="device-replaced",
            what=message("What names the device is replaced by this program, or removed."),
            attributes=held(card, ("Manufacturer", "SoftwareVersions"), "constant"),
            dicom=(BASIC, "Table E.1-1 actions X, D"),
            gdpr=(MINIMAL,),
            hipaa=("164.514(b)(2)(i)(M)",),
            checked_by=HEADERS,
        )
