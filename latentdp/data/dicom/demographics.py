"""What a source file says about the person on it, for those who may see the sources."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydicom.dataset import FileDataset

from latentdp.data.dicom.elements import tags
from latentdp.data.dicom.instance import guarded

__all__ = ["Person", "person"]

_KEYWORDS = ("PatientSex", "PatientAge", "PatientBirthDate", "StudyDate", "ViewPosition")
_UNITS = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}


@dataclass(frozen=True, kw_only=True)
class Person:
    """Of one radiograph.

    Attributes:
        sex: F, M or empty (Patient's Sex, 0010,0040).
        age: Years (Patient's Age, 0010,1010, or from the dates of birth and study); NaN unknown.
        view: View Position (0018,5101), or empty.
    """

    sex: str = ""
    age: float = math.nan
    view: str = ""


def person(path: Path) -> Person:
    """Reads one file.

    Raises:
        UnsupportedInstance: It is no DICOM file, or cannot be read.
    """
    return guarded(path, _person, tags(_KEYWORDS), pixels=False)


def _person(dataset: FileDataset) -> Person:
    said = {keyword: str(dataset.get(keyword) or "").strip() for keyword in _KEYWORDS}
    sex = said["PatientSex"].upper()
    return Person(
        sex=sex if sex in ("F", "M") else "",
        age=_age(said["PatientAge"], said["PatientBirthDate"], said["StudyDate"]),
        view=said["ViewPosition"].upper(),
    )


def _age(age: str, born: str, study: str) -> float:
    """PS3.5 6.2: AS is three digits and a unit, DA is YYYYMMDD."""
    if len(age) == 4 and age[:3].isdigit() and age[3].upper() in _UNITS:
        return int(age[:3]) / _UNITS[age[3].upper()]
    try:
        days = (datetime.strptime(study, "%Y%m%d") - datetime.strptime(born, "%Y%m%d")).days
    except ValueError:
        return math.nan
    return days / _UNITS["D"] if 0 <= days < 120 * 366 else math.nan
