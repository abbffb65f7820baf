"""What a hospital knows of its images: findings under its own names, and whose image it is.

Lists are read as those of ``latentdp privatize --labels``; any names of findings will do. They are
private. Which names are in them is private, too: a finding that one patient alone has would tell
of them. `latentdp.synthesis.statistics` decides which names are released.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from latentdp.core.system import file_key
from latentdp.core.tables import read_any_table
from latentdp.data.dicom.examination import Examination
from latentdp.data.dicom.profile import Profile
from latentdp.data.label_names import LabelNames
from latentdp.data.label_space import LabelSpace
from latentdp.data.label_table import FILES, Key, LabelRow, LabelTable
from latentdp.data.radiograph import examination
from latentdp.errors import InputError

__all__ = ["MOST_NAMES", "Annotation", "FindingsTable", "parse_names", "probability_of"]

MOST_NAMES = 64  # different findings in a cohort, and so of a patient
LONGEST_NAME = 64
_FORMULA = ("=", "+", "-", "@")  # begin what a spreadsheet computes: names stand in public tables
_PATIENTS = frozenset({"patient", "patientid"})


@dataclass(frozen=True)
class Annotation:
    """What is known of one image.

    Attributes:
        findings: Their names in lower case, sorted; empty where nothing is said of them.
        patient: The patient's identifier; empty where there is none.
    """

    findings: tuple[str, ...] = ()
    patient: str = ""


@dataclass(frozen=True)
class FindingsTable:
    """A list of findings.

    Attributes:
        table: Its rows, by what they are about.
        patients: Whose a file is, where rows are about files and a column says it.
    """

    table: LabelTable
    patients: Mapping[str, str]

    @classmethod
    def read(cls, path: Path, declared: Sequence[str] = ()) -> Self:
        """Reads a CSV.

        Args:
            path: Of the file.
            declared: Names of findings that may have columns of their own, with 1 and 0 in them.

        Raises:
            InputError: As `LabelTable.read`, names that are too long or too many, or a file with
                two patients. The message names the line, and no value.
        """
        table = LabelTable.read(path, LabelNames(LabelSpace.of_classes(declared), {}))
        names: set[str] = set()
        for row in table.rows.values():
            names.update(_findings(row, table.name))
        if len(names) > MOST_NAMES:
            raise InputError(
                f"{table.name}: expected at most {MOST_NAMES} different findings, got more; a "
                "label is a name, or several separated by ;"
            )
        return cls(table, _patients(path) if table.key is Key.FILE else {})

    def find(self, listed: Sequence[str], path: Path, profile: Profile) -> Annotation:
        """What is known of a file.

        Args:
            listed: Names by which it may be listed, the most exact first.
            path: Where it is; its header is read where rows are not about files.
            profile: What a person says of the inputs.

        Raises:
            UnsupportedInstance: Its header says that it cannot be used.
        """
        said = Examination()
        if self.table.key is not Key.FILE:
            said = examination(path, profile)
        row = self.table.find(listed, said)
        patient = next((self.patients[n] for n in listed if n in self.patients), "")
        return Annotation(() if row is None else _findings(row, self.table.name), patient)


def parse_names(text: str, where: str) -> tuple[str, ...]:
    """Names of findings that are separated by ``;``: in lower case, sorted, each once.

    Args:
        text: As somebody wrote it.
        where: It stands, for the message.

    Raises:
        InputError: A name is too long, cannot be printed, or is a formula to a spreadsheet.
    """
    names = {" ".join(name.split()).lower() for name in text.split(";")} - {""}
    if any(len(name) > LONGEST_NAME or not name.isprintable() for name in names):
        raise InputError(
            f"{where}: expected names of findings of at most {LONGEST_NAME} printable characters"
        )
    if any(name.startswith(_FORMULA) for name in names):
        raise InputError(
            f"{where}: expected names of findings without {' '.join(_FORMULA)} in front, which a "
            "spreadsheet takes for a formula"
        )
    return tuple(sorted(names))


def _findings(row: LabelRow, name: str) -> tuple[str, ...]:
    return parse_names(";".join(row.findings), f"{name} line {row.line}")


def _column(columns: Sequence[str], names: Collection[str]) -> str | None:
    return next((c for c in columns if re.sub(r"[^a-z0-9]", "", c.lower()) in names), None)


def _patients(path: Path) -> dict[str, str]:
    """The patient of each file, by its name with ``/`` on every system."""
    table = read_any_table(path)
    who, file = (_column(table.columns, names) for names in (_PATIENTS, FILES))
    if who is None or file is None:
        return {}
    patients: dict[str, str] = {}
    for line, values in table.records:
        name, patient = file_key(values[file]), values[who].strip()
        if patient and patients.setdefault(name, patient) != patient:
            raise InputError(f"{path.name} line {line}: a file has two different patients")
    return patients


def probability_of(name: str) -> str:
    """The column of a public table that has the probability of a finding."""
    return f"probability of {name}"
