"""The images of a folder as tables for machine learning: all that is told of each, one row a file.

``metadata.csv`` is what Hugging Face's ``imagefolder`` reads, ``datalist.json`` what MONAI reads.
``release.parquet`` holds the rows of the first; under the name of ``metadata`` it would hide it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.core.filesystem import whole, write_json
from latentdp.core.tables import write_table
from latentdp.errors import InputError

if TYPE_CHECKING:
    from latentdp.core.documents import JsonValue

__all__ = [
    "DATALIST",
    "METADATA",
    "PARQUET",
    "TABLES",
    "ImageRow",
    "ImageTable",
    "check_parquet",
]

METADATA, DATALIST, PARQUET = "metadata.csv", "datalist.json", "release.parquet"
TABLES = (METADATA, DATALIST, PARQUET)
_KEYS = {"train": "training", "val": "validation", "test": "test"}  # of a MONAI datalist
_VIEWS = ("AP", "PA")
SEPARATOR = ";"


@dataclass(frozen=True, kw_only=True)
class ImageRow:
    """One image.

    Attributes:
        file_name: Path below the folder, with ``/``.
        label: The released one, several joined by ``;``; empty where there is none.
        probabilities: Of the table's columns.
        patient: Pseudonym; empty where the file states none.
        study: Pseudonym, a UID; empty likewise.
        split: ``train``, ``val`` or ``test``.
    """

    file_name: str
    label: str
    probabilities: tuple[float, ...]
    patient: str
    study: str
    split: str

    @property
    def labels(self) -> tuple[str, ...]:
        """Each label."""
        return tuple(filter(None, self.label.split(SEPARATOR)))

    @property
    def view(self) -> str:
        """AP or PA, where the label says so; a header never does."""
        view, slash, _ = self.label.partition("/")
        said = (view,) if slash else self.labels
        return next((word for word in said if word in _VIEWS), "")


@dataclass(frozen=True, kw_only=True)
class ImageTable:
    """All images.

    Attributes:
        rows: In the order of the files' names.
        probabilities: Names of the columns of probabilities.
        classes: All labels that there may be.
        several: Whether an image may have several.
    """

    rows: Sequence[ImageRow]
    probabilities: tuple[str, ...]
    classes: tuple[str, ...]
    several: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Of ``metadata.csv``."""
        return ("file_name", "label", *self.probabilities, "patient", "study", "view", "split")

    @property
    def records(self) -> list[tuple[str, ...]]:
        """The rows of ``metadata.csv``."""
        return [
            (
                row.file_name,
                row.label,
                *(f"{p:.6g}" for p in row.probabilities),
                row.patient,
                row.study,
                row.view,
                row.split,
            )
            for row in self.rows
        ]

    def datalist(self) -> dict[str, JsonValue]:
        """What ``monai.data.load_decathlon_datalist`` reads.

        A label is a number: the place in ``labels``, -1 for none. Where an image may have
        several it is a list of 0 and 1, one for each of ``labels``, or of -1 where it has none. A
        split that nobody is in is left out: MONAI stumbles over an empty one.
        """
        lists: dict[str, list[JsonValue]] = {key: [] for key in _KEYS.values()}
        for row in self.rows:
            entry: dict[str, JsonValue] = {"image": row.file_name, "patient": row.patient}
            if self.several:
                none = not row.labels
                entry["label"] = [-1 if none else int(name in row.labels) for name in self.classes]
            elif self.classes:
                entry["label"] = self.classes.index(row.label) if row.label else -1
            lists[_KEYS[row.split]].append(entry)
        names: dict[str, JsonValue] = {str(i): name for i, name in enumerate(self.classes)}
        return {"labels": names, **{key: rows for key, rows in lists.items() if rows}}

    def write(self, out: Path, *, parquet: bool) -> None:
        """Writes the tables into a folder, each whole or not at all.

        Args:
            out: The folder.
            parquet: Write ``release.parquet``, too; where not, an older one goes.

        Raises:
            InputError: `check_parquet`.
        """
        write_table(out / METADATA, self.columns, self.records)
        write_json(out / DATALIST, self.datalist())
        if parquet:
            self._write_parquet(out / PARQUET)
        else:
            (out / PARQUET).unlink(missing_ok=True)

    def differences(self, out: Path) -> list[str]:
        """Which of the tables in a folder are not these; of a Parquet file nothing is said."""
        texts = [list(map(str, row)) for row in (self.columns, *self.records)]
        names = []
        if (out / METADATA).is_file() and _cells(out / METADATA) != texts:
            names.append(METADATA)
        if (out / DATALIST).is_file() and _json(out / DATALIST) != self.datalist():
            names.append(DATALIST)
        return names

    def _write_parquet(self, path: Path) -> None:
        check_parquet()
        import pyarrow as pa
        from pyarrow import parquet

        cells = zip(*self.records, strict=True) if self.rows else ([] for _ in self.columns)
        columns = {
            name: pa.array(
                list(map(float, values)) if name in self.probabilities else list(values),
                pa.float64() if name in self.probabilities else pa.string(),
            )
            for name, values in zip(self.columns, cells, strict=True)
        }
        with whole(path) as temporary:
            parquet.write_table(pa.table(columns), temporary)


def check_parquet() -> None:
    """Refuses to promise a Parquet file where none can be written.

    Raises:
        InputError: pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise InputError('--parquet needs pyarrow: pip install "latentdp[parquet]"')


def _cells(path: Path) -> list[list[str]] | None:
    import csv

    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def _json(path: Path) -> JsonValue:
    try:
        return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]
    except (OSError, ValueError, RecursionError):
        return None
