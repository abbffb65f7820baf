"""What a hospital knows of its images: findings under its own names, and whose image it is.

The file is private. Which names are in it is private, too: a finding that one patient alone has
would tell of them. `latentdp.synthesis.vocabulary` decides which names are released.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from latentdp.core.tables import read_table
from latentdp.errors import InputError

__all__ = ["MOST_NAMES", "Annotation", "parse_names", "read_annotations"]

MOST_NAMES = 64  # different findings in a cohort, and so of a patient
LONGEST_NAME = 64
LABELS, PATIENTS = ("label", "labels"), ("patient", "patient_id")


@dataclass(frozen=True)
class Annotation:
    """What is known of one image.

    Attributes:
        findings: Their names in lower case, sorted; empty where nothing is said of them.
        patient: The patient's identifier; empty where there is none.
    """

    findings: tuple[str, ...] = ()
    patient: str = ""


def read_annotations(path: Path) -> dict[str, Annotation]:
    """Reads a CSV with the columns ``file`` and ``label`` (or ``labels``), perhaps ``patient``.

    A label is any names, separated by ``;``; upper and lower case are the same. The patient's
    column may be called ``patient_id``.

    Returns:
        File, as it stands there with ``/`` on every system, to what is known of it.

    Raises:
        InputError: As `latentdp.core.tables.read_table`, a file that stands there twice, or names
            that are too long or too many. The message names the line, and never a value.
    """
    annotations: dict[str, Annotation] = {}
    names: set[str] = set()
    for line, row in read_table(path, ("file",)):
        label = _column(row, LABELS)
        if label is None:
            raise InputError(f"{path.name}: expected a column called label")
        findings = parse_names(label, f"{path.name} line {line}")
        file = Path(row["file"].strip()).as_posix()
        if file in annotations:
            raise InputError(f"{path.name} line {line}: a file stands there twice")
        patient = (_column(row, PATIENTS) or "").strip()
        annotations[file] = Annotation(findings, patient)
        names.update(findings)
    if len(names) > MOST_NAMES:
        raise InputError(
            f"{path.name}: expected at most {MOST_NAMES} different findings, got more; a label is "
            "a name, or several separated by ;"
        )
    return annotations


def parse_names(text: str, where: str) -> tuple[str, ...]:
    """Names of findings that are separated by ``;``: in lower case, sorted, each once.

    Args:
        text: As somebody wrote it.
        where: It stands, for the message.

    Raises:
        InputError: A name is too long or cannot be printed.
    """
    names = {" ".join(name.split()).lower() for name in text.split(";")} - {""}
    if any(len(name) > LONGEST_NAME or not name.isprintable() for name in names):
        raise InputError(
            f"{where}: expected names of findings of at most {LONGEST_NAME} printable characters"
        )
    return tuple(sorted(names))


def _column(row: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((row[name] for name in names if name in row), None)
