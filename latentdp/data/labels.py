"""Labels as CSV files have them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from latentdp.core.filesystem import write_text
from latentdp.errors import InputError

__all__ = ["read_labels", "write_labels"]


def read_labels(path: Path, classes: tuple[str, ...]) -> dict[str, int]:
    """Reads a CSV with the columns ``file`` (relative to the input folder) and ``label``.

    Returns:
        File to class index. An empty label means unknown and is left out.

    Raises:
        InputError: No such file or column, a label that the weights do not know, or the same file
            with two labels. The message names the line, not the file it is about.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = {"file", "label"} - set(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a readable CSV file") from error
    if missing:
        raise InputError(f"{path.name}: expected the columns file and label; no {min(missing)!r}")
    index = {name.lower(): i for i, name in enumerate(classes)}
    found: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        label = (row["label"] or "").strip().lower()
        if not label:
            continue
        if label not in index:
            raise InputError(
                f"{path.name} line {line}: expected one of {', '.join(classes)}, got another label"
            )
        name = Path((row["file"] or "").strip()).as_posix()
        if found.setdefault(name, index[label]) != index[label]:
            raise InputError(f"{path.name} line {line}: a file has two different labels")
    return found


def write_labels(path: Path, released: dict[str, str]) -> None:
    """Writes released labels (output file name to class) as CSV.

    Sorted by the random file name, so that the order says nothing.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "label"])
    writer.writerows(sorted(released.items()))
    write_text(path, text.getvalue())
