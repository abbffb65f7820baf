"""People whose images and findings are known, as readers and attackers see them: **private**."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.core.progress import ProgressCallback
from latentdp.core.system import file_key
from latentdp.core.tables import read_any_table
from latentdp.data import radiograph
from latentdp.data.dicom.demographics import Person, person
from latentdp.data.dicom.profile import Profile
from latentdp.errors import InputError, UnsupportedInstance
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation
from latentdp.reports.evaluation_parts import People
from latentdp.synthesis.cohort import CohortFile, PrivateCohort, find_cohort, read_images
from latentdp.vault.keys import Keys

__all__ = ["MANIFEST", "Subjects", "find_subjects", "read_subjects"]

MANIFEST = "manifest.csv"
ALL_IMAGES = 1_000  # of a patient


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """Images of some patients, whole ones.

    Attributes:
        images: ``(n, h, w)`` in [0, 1].
        patients: ``(n,)`` of which patient: 0 to p - 1, in ascending order, none left out.
        said: Names of the findings of each image; empty where nobody read it.
        sexes: ``(n,)`` ``F``, ``M`` or empty.
        ages: ``(n,)`` years; NaN where unknown.
        views: ``(n,)`` view in capitals, or empty.
        unreadable: Files that could not be read.
    """

    images: Images
    patients: NDArray[np.int64]
    said: tuple[tuple[str, ...], ...]
    sexes: NDArray[np.str_]
    ages: NDArray[np.float64]
    views: NDArray[np.str_]
    unreadable: int = 0

    def __len__(self) -> int:
        return len(self.images)

    @property
    def count(self) -> int:
        """Number of patients."""
        return int(self.patients.max()) + 1

    @property
    def read(self) -> NDArray[np.bool_]:
        """``(n,)`` whether somebody said what an image shows."""
        return np.array([bool(names) for names in self.said], dtype=np.bool_)

    def shown(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """``(n, f)`` which of these findings each image shows."""
        marks = [[name in said for name in names] for said in self.said]
        return np.array(marks, dtype=np.bool_).reshape(len(self.said), len(names))

    def one_each(self, most: int, seed: int) -> NDArray[np.int64]:
        """The first image of each of at most so many patients, who are drawn by lot."""
        first = np.flatnonzero(np.diff(self.patients, prepend=-1))
        return np.asarray(first[permutation(SeededNoise(seed), len(first))[:most]])

    def people(self, where: str) -> People:
        """How many, for a document."""
        several = np.bincount(self.patients) > 1
        return People(
            images=len(self),
            patients=self.count,
            patients_with_several=int(several.sum()),
            size=self.images.shape[-1],
            unreadable=self.unreadable,
            where=where,
        )


def find_subjects(
    source: Path,
    labels: Path | None,
    keys: Keys,
    *,
    most: int = ALL_IMAGES,
    profile: Profile,
    declared: Sequence[str] = (),
) -> PrivateCohort:
    """Whose each file is and what is known of it, as `latentdp synthesize` finds it.

    Args:
        source: A folder, a table (CSV), or a folder with ``manifest.csv``.
        labels: The table of a folder.
        keys: Which choose among a patient's images.
        most: Images of a patient that are looked at.
        profile: How files are read.
        declared: Findings that may have columns of their own.

    Raises:
        InputError: There are no files, no table, or no file whose patient is known.
    """
    if labels is None and (source / MANIFEST).is_file():
        source = source / MANIFEST
    found = find_cohort(source, labels, keys, most=most, profile=profile, declared=declared)
    if not found.patients:
        raise InputError("no file can be used: none is readable and of a patient who is named")
    return found


def read_subjects(
    found: PrivateCohort,
    table: Path | None,
    shape: tuple[int, int],
    profile: Profile,
    *,
    images: int,
    tell: ProgressCallback,
) -> Subjects:
    """Reads whole patients, by the lot of the vault's key, until there are so many images.

    Args:
        found: Whose the files are.
        table: With the columns ``file`` and any of ``sex``, ``age`` and ``view``, which outrank
            headers; None for headers alone.
        shape: Height and width of all images.
        profile: How files are read.
        images: At most about.
        tell: Progress.

    Raises:
        InputError: None of them can be read.
    """
    chosen = _first(found, images)
    known = {} if table is None else _known(table)
    parts: list[Images] = []
    patients: list[NDArray[np.int64]] = []
    files: list[CohortFile] = []
    count = unreadable = 0
    for part in read_images(chosen, shape, profile):
        parts.append(part.images)
        patients.append(part.patients + count)
        files += part.files
        count += len(part.subjects)
        unreadable += len(part.refused)
        tell(min(1.0, (len(files) + unreadable) / max(1, chosen.files)), "reading images")
    if not count:
        raise InputError("none of the images can be read")
    people = [_person(file, known) for file in files]
    return Subjects(
        images=np.concatenate(parts),
        patients=np.concatenate(patients),
        said=tuple(file.annotation.findings for file in files),
        sexes=np.array([p.sex for p in people], dtype=np.str_),
        ages=np.array([p.age for p in people], dtype=np.float64),
        views=np.array([p.view for p in people], dtype=np.str_),
        unreadable=unreadable,
    )


def _first(found: PrivateCohort, images: int) -> PrivateCohort:
    """The first patients with so many images."""
    chosen: dict[str, tuple[CohortFile, ...]] = {}
    for who, own in found.patients.items():
        if chosen and sum(map(len, chosen.values())) + len(own) > images:
            break
        chosen[who] = own
    return PrivateCohort(
        patients=chosen, beyond=dict.fromkeys(chosen, ()), passed_over=0, refused={}
    )


def _known(table: Path) -> Mapping[str, Mapping[str, str]]:
    """What a table of files says besides findings."""
    read = read_any_table(table)
    columns = {column.strip().lower(): column for column in read.columns}
    if "file" not in columns:
        return {}
    return {
        file_key(record.values[columns["file"]]): {
            name: record.values[columns[name]].strip()
            for name in ("sex", "age", "view")
            if name in columns
        }
        for record in read.records
    }


def _person(file: CohortFile, known: Mapping[str, Mapping[str, str]]) -> Person:
    """Of one image, by the table, or else by its header."""
    said = Person()
    try:
        if radiograph.reader(file.path) != "picture":
            said = person(file.path)
    except (UnsupportedInstance, OSError):
        pass
    row = known.get(file_key(file.name), {})
    sex = row.get("sex", "").upper()[:1]
    return Person(
        sex=sex if sex in ("F", "M") else said.sex,
        age=_years(row.get("age", ""), said.age),
        view=(row.get("view") or said.view).upper(),
    )


def _years(text: str, said: float) -> float:
    try:
        years = float(text)
    except ValueError:
        return said
    return years if math.isfinite(years) else said
