"""What a file says of the examination that it belongs to, for those who may see the sources.

Read from the header alone, for who must find a radiograph in a hospital's list before any is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import FileDataset

from latentdp.data.dicom import refusals
from latentdp.data.dicom.elements import text
from latentdp.data.dicom.instance import guarded
from latentdp.data.dicom.pixel_layout import layout_of
from latentdp.data.dicom.profile import Profile
from latentdp.data.dicom.views import projection

__all__ = ["Examination", "examination"]


@dataclass(frozen=True, kw_only=True)
class Examination:
    """Of one radiograph; "" for what it does not state.

    Attributes:
        instance: SOP Instance UID (0008,0018).
        series: Series Instance UID (0020,000E).
        study: Study Instance UID (0020,000D).
        accession: Accession Number (0008,0050).
        patient: Patient ID (0010,0020).
        date: Study Date (0008,0020), YYYYMMDD.
        view: ``AP`` or ``PA``, by View Code (0054,0220), View Position (0018,5101) or the
            description of the series.
    """

    instance: str = ""
    series: str = ""
    study: str = ""
    accession: str = ""
    patient: str = ""
    date: str = ""
    view: str = ""


def examination(path: Path, profile: Profile) -> Examination:
    """Reads the header of one file.

    Args:
        path: Of any file.
        profile: What a person says of the inputs.

    Raises:
        UnsupportedInstance: The header says that it is no radiograph that can be released. What
            is wrong with its pixels shows when they are read.
    """
    return guarded(path, lambda dataset: _examination(dataset, profile), pixels=False)


def _examination(dataset: FileDataset, profile: Profile) -> Examination:
    refusals.check_header(dataset, refusals.kind_of(dataset), profile)
    layout_of(dataset)
    return Examination(
        instance=refusals.single(dataset, "SOPInstanceUID"),
        series=refusals.single(dataset, "SeriesInstanceUID"),
        study=refusals.single(dataset, "StudyInstanceUID"),
        accession=refusals.single(dataset, "AccessionNumber"),
        patient=refusals.single(dataset, "PatientID"),
        date=text(dataset, "StudyDate"),
        view=projection(dataset),
    )
