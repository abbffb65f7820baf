"""Labels as CSV files have them."""

from __future__ import annotations

from pathlib import Path

from latentdp.core.system import file_key
from latentdp.core.tables import read_table, write_table
from latentdp.errors import InputError

__all__ = ["read_labels", "write_labels"]


def read_labels(path: Path, classes: tuple[str, ...]) -> dict[str, int]:
    """Reads a CSV with the columns ``file`` (relative to the input folder) and ``label``.

    Returns:
        File to class index. An empty label means unknown and is left out.

    Raises:
        InputError: As `read_table`, a label that the weights do not know, or the same file with
            two labels. The message names the line, not the file it is about.
    """
    index = {name.lower(): i for i, name in enumerate(classes)}
    labels: dict[str, int] = {}
    for line, row in read_table(path, ("file", "label")):
        label = row["label"].strip().lower()
        if not label:
            continue
        if label not in index:
            raise InputError(
                f"{path.name} line {line}: expected one of {', '.join(classes)}, got another label"
            )
        name = file_key(row["file"])
        if labels.setdefault(name, index[label]) != index[label]:
            raise InputError(f"{path.name} line {line}: a file has two different labels")
    return labels


def write_labels(path: Path, released: dict[str, str]) -> None:
    """Writes released labels (output file name to class) as CSV.

    Sorted by the random file name, so that the order says nothing.
    """
    write_table(path, ("file", "label"), sorted(released.items()))
