"""What every archive can do, and what it tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from latentdp.archives.study_filter import StudyQuery

__all__ = ["Archive", "StoreOutcome", "Series", "StoreCallback", "Study", "is_uid"]

StoreCallback = Callable[[str, bytes], None]
"""Called with the SOP Instance UID and the bytes of a file (PS3.10 7) that came.

It may be called in another thread. An ``OSError`` tells the archive that there is no room.
"""


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study, as an archive told of it; "" for what it did not tell.

    Attributes:
        uid: Study Instance UID (0020,000D).
        patient: Patient ID (0010,0020).
        accession: Accession Number (0008,0050).
        date: Study Date (0008,0020), YYYYMMDD.
    """

    uid: str
    patient: str = ""
    accession: str = ""
    date: str = ""

    @classmethod
    def of(cls, told: Mapping[str, str]) -> Self:
        """From elements by keyword."""
        return cls(
            uid=told["StudyInstanceUID"],
            patient=told["PatientID"],
            accession=told["AccessionNumber"],
            date=told["StudyDate"],
        )


@dataclass(frozen=True, kw_only=True)
class Series:
    """A series of a study.

    Attributes:
        study: Study Instance UID (0020,000D).
        uid: Series Instance UID (0020,000E).
        modality: Modality (0008,0060); "" where it is not told.
    """

    study: str
    uid: str
    modality: str = ""


@dataclass(frozen=True, kw_only=True)
class StoreOutcome:
    """What became of one file that was sent.

    Attributes:
        file: The file.
        stored: Whether the archive has it now.
        said: In words, what the archive said of it; "" for plain success.
    """

    file: Path
    stored: bool
    said: str = ""


class Archive(Protocol):
    """An archive of studies, series and instances; a context manager.

    All calls raise `ArchiveError` where it cannot be reached, or refuses.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def studies(self, query: StudyQuery) -> Iterator[Study]:
        """Those that fit; an archive may ignore what it does not know, and tell more."""
        ...

    def series(self, study: str) -> Iterator[Series]:
        """All series of a study."""
        ...

    def instances(self, series: Series) -> set[str]:
        """SOP Instance UIDs of all instances of a series."""
        ...

    def fetch(self, series: Series, store: StoreCallback) -> str:
        """Has all instances of a series handed to ``store``.

        Returns:
            What went wrong, in words; "" for nothing. What came did come.
        """
        ...

    def send(self, files: Iterable[Path]) -> Iterator[StoreOutcome]:
        """Stores files there, and tells of each as it is done."""
        ...


def is_uid(text: str) -> bool:
    """Whether a text is a UID (PS3.5 9.1), and so may also name a file or a folder."""
    return len(text) <= 64 and re.fullmatch(r"[0-9]+(\.[0-9]+)*", text) is not None
