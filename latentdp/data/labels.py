"""Labels as CSV files have them."""

from __future__ import annotations

from pathlib import Path

from latentdp.core.system import file_key
from latentdp.core.tables import read_table, write_table
from latentdp.data.label_space import SEPARATOR, LabelSpace
from latentdp.errors import InputError

__all__ = ["read_labels", "write_labels"]


def read_labels(path: Path, space: LabelSpace) -> dict[str, int]:
    """Reads a CSV with the columns ``file`` (relative to the input folder) and ``label``.

    Args:
        path: Of the file.
        space: What a label may be.

    Returns:
        File to label. An empty one means unknown and is left out.

    Raises:
        InputError: As `read_table`, a label that the weights do not know, or the same file with
            two labels. The message names the line, not the file it is about.
    """
    labels: dict[str, int] = {}
    for line, row in read_table(path, ("file", "label")):
        said = row["label"].strip()
        if not said:
            continue
        try:
            label = space.label([said] if space.has_classes else said.split(SEPARATOR))
        except InputError:
            raise InputError(
                f"{path.name} line {line}: expected one of {', '.join(space.words)}, "
                "got another label"
            ) from None
        name = file_key(row["file"])
        if labels.setdefault(name, label) != label:
            raise InputError(f"{path.name} line {line}: a file has two different labels")
    return labels


def write_labels(path: Path, released: dict[str, str]) -> None:
    """Writes released labels (output file name to words) as CSV.

    Sorted by the random file name, so that the order says nothing.
    """
    write_table(path, ("file", "label"), sorted(released.items()))
