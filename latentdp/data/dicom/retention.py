"""What the options of a profile retain of a source's header: cleaned values of known form.

Times are never retained: an exact time of day finds the examination in a hospital's log in spite
of a shifted date, and no use of longitudinal data by days needs it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from pydicom.dataset import Dataset

from latentdp.data.dicom.attributes import retained_by
from latentdp.data.dicom.device_names import device
from latentdp.data.dicom.profile import Profile

__all__ = ["MAX_DAYS", "retained", "shifted"]

MAX_DAYS = 3652  # ten years
# No radiograph was digital before; files without a date often state this day, or 1900-01-01.
_EPOCH = date(1970, 1, 1)


def retained(dataset: Dataset, profile: Profile) -> dict[str, str]:
    """Returns keyword and value of what the profile retains, "" where a value is not usable.

    Dates (DA, "YYYYMMDD") are those of the source: `shifted` is still to come. One that is not
    after 1970-01-01, or lies in the future, is dropped: it is a stand-in that many files share,
    and would tell the shift.
    """
    kept: dict[str, str] = {}
    if profile.shift_dates:
        kept |= {key: _date(_text(dataset, key)) for key in retained_by("shift_dates")}
    if profile.retain_characteristics:
        sex = _text(dataset, "PatientSex")
        kept["PatientSex"] = sex if sex in ("F", "M", "O") else ""
        kept["PatientAge"] = _age(_text(dataset, "PatientAge"))
    if profile.retain_device:
        kept["Manufacturer"], kept["ManufacturerModelName"] = device(
            _text(dataset, "Manufacturer"), _text(dataset, "ManufacturerModelName")
        )
    return kept


def shifted(value: str, days: int) -> str:
    """Returns a date "YYYYMMDD", ``days`` earlier; "" stays ""."""
    day = _day(value)
    return "" if day is None else f"{day - timedelta(days=days):%Y%m%d}"


def _date(text: str) -> str:
    day = _day(text)
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)  # it may be today already elsewhere
    return text if day is not None and _EPOCH < day <= tomorrow else ""


def _day(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{8}", text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _age(text: str) -> str:
    """Returns an age string (AS, PS3.5 6.2), 90 years and over as "090Y"."""
    if not re.fullmatch(r"[0-9]{3}[DWMY]", text):
        return ""
    return "090Y" if text[3] == "Y" and int(text[:3]) >= 90 else text


def _text(dataset: Dataset, keyword: str) -> str:
    """Returns a single text without its padding, "" for anything else."""
    value = dataset.get(keyword)
    return value.strip(" \0") if isinstance(value, str) else ""
