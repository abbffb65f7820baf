"""A private cohort: whose each file is and what is known of it, before any pixel is read.

Files are found and read as `latentdp privatize` reads them. The patient comes from the header;
where it names none, as in all pictures, from the table of findings. A file of nobody is kept back:
an unknown patient could be any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.core.progress import CountCallback
from latentdp.core.system import below, file_key
from latentdp.core.tables import read_table
from latentdp.data import radiograph
from latentdp.data.dicom.profile import BASIC, Profile
from latentdp.data.label_table import names_in_tables
from latentdp.data.patient_id import loose_form
from latentdp.errors import InputError, UnsupportedInstance
from latentdp.release.inputs import SourceFile, find_files
from latentdp.release.tasks import Refusal, digest_input, read_input
from latentdp.synthesis.findings import Annotation, FindingsTable
from latentdp.vault.keys import Keys

__all__ = [
    "CHANGED",
    "NO_PATIENT",
    "CohortFile",
    "PrivateCohort",
    "ReadImages",
    "find_cohort",
    "read_images",
]

NO_PATIENT = Refusal(
    "no-patient",
    "neither the header nor the table of findings says whose image it is",
)
CHANGED = Refusal("changed", "the file was changed while the cohort was read")
PATIENTS = 64  # read together


@dataclass(frozen=True, kw_only=True)
class CohortFile:
    """One file that is to be read.

    Attributes:
        path: Where it is.
        name: Its path below the cohort's folder: for the vault only.
        content: Reader and digest of its bytes.
        patient: The patient, however spelled.
        spelled: As it stands in the header or the table: under that an old ledger has charged.
        annotation: What is known of it.
    """

    path: Path
    name: str
    content: str
    patient: str
    spelled: str
    annotation: Annotation


@dataclass(frozen=True, kw_only=True)
class PrivateCohort:
    """All patients, and what was kept back.

    Attributes:
        patients: The files of each patient that are looked at, by identifier; in an order that
            only the vault's key tells.
        beyond: The files of each beyond so many, of whom nothing is learnt; without equal ones.
        passed_over: Number of files beyond so many of a patient, and equal ones.
        refused: File to the reason why it is kept back.
    """

    patients: Mapping[str, tuple[CohortFile, ...]]
    beyond: Mapping[str, tuple[CohortFile, ...]]
    passed_over: int
    refused: Mapping[str, Refusal]

    @property
    def files(self) -> int:
        """Number of files that are looked at."""
        return sum(map(len, self.patients.values()))

    @property
    def findings(self) -> tuple[str, ...]:
        """Names of all findings, sorted: **private**."""
        files = (file for files in self.patients.values() for file in files)
        return tuple(sorted({name for file in files for name in file.annotation.findings}))


@dataclass(frozen=True, kw_only=True)
class ReadImages:
    """Images of some patients as they were read: **private**.

    Attributes:
        images: ``(n, h, w)`` float32 in [0, 1].
        files: Of each image.
        patients: ``(n,)`` of which patient, 0 and up, in ascending order.
        subjects: Identifiers of these patients.
        refused: Files of them that cannot be read.
        unnamed: Files of them that name nobody themselves, with the digest of the picture; those
            that are passed over, too.
    """

    images: NDArray[np.float32]
    files: tuple[CohortFile, ...]
    patients: NDArray[np.int64]
    subjects: tuple[str, ...]
    refused: Mapping[str, Refusal]
    unnamed: tuple[tuple[CohortFile, str], ...]


def find_cohort(
    source: Path,
    labels: Path | None,
    keys: Keys,
    *,
    most: int,
    profile: Profile = BASIC,
    declared: Sequence[str] = (),
    progress: CountCallback | None = None,
) -> PrivateCohort:
    """Finds all files, whose they are, and which of each patient are looked at.

    Args:
        source: A folder, or a table of files with their findings.
        labels: The table of a folder.
        keys: Of the vault, which choose among a patient's images and order the patients.
        most: Images of a patient that are looked at.
        profile: What a person says of the inputs.
        declared: Findings that may have columns of their own in the table.
        progress: Called with the number of files done and of all.

    Raises:
        InputError: There are no files, no table, or a table that fits none of them.
    """
    files, table = _files(source, labels, declared)
    by_patient: dict[str, dict[str, CohortFile]] = {}
    refused: dict[str, Refusal] = {}
    for i, (file, listed) in enumerate(
        zip(files, names_in_tables(f.name for f in files), strict=True)
    ):
        identified = _identified(file, listed, table, profile)
        if isinstance(identified, Refusal):
            refused[file.name] = identified
        else:
            of_patient = by_patient.setdefault(identified.patient, {})
            of_patient.setdefault(identified.content, identified)
        if progress is not None:
            progress(i + 1, len(files))
    shuffled = {
        who: tuple(sorted(own.values(), key=lambda f: keys.token("image", f.content)))
        for who, own in by_patient.items()
    }
    order = sorted(shuffled, key=keys.subject)
    looked_at = sum(len(own[:most]) for own in shuffled.values())
    return PrivateCohort(
        patients={who: shuffled[who][:most] for who in order},
        beyond={who: shuffled[who][most:] for who in order},
        passed_over=len(files) - len(refused) - looked_at,
        refused=refused,
    )


def read_images(
    cohort: PrivateCohort, shape: tuple[int, int], profile: Profile
) -> Iterator[ReadImages]:
    """Reads all images, whole patients together; who has no readable one is left out."""
    everyone = list(cohort.patients.items())
    for start in range(0, len(everyone), PATIENTS):
        images: list[NDArray[np.float32]] = []
        files: list[CohortFile] = []
        patients: list[int] = []
        subjects: list[str] = []
        refused: dict[str, Refusal] = {}
        unnamed: list[tuple[CohortFile, str]] = []
        for who, own in everyone[start : start + PATIENTS]:
            before = len(images)
            for file in own:
                read = read_input((file.path, shape, profile))
                if not isinstance(read, Refusal) and loose_form(read.patient or who) != who:
                    read = CHANGED
                if isinstance(read, Refusal):
                    refused[file.name] = read
                    continue
                if read.whole:
                    unnamed.append((file, read.whole))
                images.append(read.image)
                files.append(file)
                patients.append(len(subjects))
            if len(images) == before:
                continue
            subjects.append(who)
            for file in cohort.beyond[who]:
                read = read_input((file.path, shape, profile))
                if not isinstance(read, Refusal) and read.whole:
                    unnamed.append((file, read.whole))
        yield ReadImages(
            images=np.stack(images) if images else np.empty((0, *shape), dtype=np.float32),
            files=tuple(files),
            patients=np.array(patients, dtype=np.int64),
            subjects=tuple(subjects),
            refused=refused,
            unnamed=tuple(unnamed),
        )


def _files(
    source: Path, labels: Path | None, declared: Sequence[str]
) -> tuple[Sequence[SourceFile], FindingsTable]:
    """All files, and what the table says of them."""
    if source.is_file() and source.suffix.lower() == ".csv":
        if labels is not None:
            raise InputError("the cohort is a table of findings itself; leave --labels out")
        names = dict.fromkeys(row["file"].strip() for _, row in read_table(source, ("file",)))
        listed = [
            SourceFile(path=below(source.parent, name), name=file_key(name))
            for name in names
            if name
        ]
        if not listed:
            raise InputError("the table of the cohort names no files")
        return listed, FindingsTable.read(source, declared)
    if labels is None:
        raise InputError("expected --labels CSV: findings by file, examination or patient")
    return find_files(source), FindingsTable.read(labels, declared)


def _identified(
    file: SourceFile, listed: Sequence[str], table: FindingsTable, profile: Profile
) -> CohortFile | Refusal:
    content = digest_input(file.path)
    if not content:
        read = read_input((file.path, (1, 1), profile))
        return read if isinstance(read, Refusal) else CHANGED
    try:
        patient, spelled = radiograph.patient(file.path)
        annotation = table.find(listed, file.path, profile)
    except UnsupportedInstance as error:
        read = read_input((file.path, (1, 1), profile))  # as a release names what is the matter
        return read if isinstance(read, Refusal) else Refusal(error.reason, str(error))
    if not patient:
        patient = spelled = annotation.patient
    if not patient:
        return NO_PATIENT
    return CohortFile(
        path=file.path,
        name=file.name,
        content=content,
        patient=loose_form(patient),
        spelled=spelled,
        annotation=annotation,
    )
