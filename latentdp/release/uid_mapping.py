"""Old and new identifiers of a release as CSV, for whoever may see both.

The form, two files with the columns ``id_old,id_new``, is that of the MIDI-B validation script.
Both identifiers are read from the files, source and output, so that the map says what is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from latentdp.core.system import lies_in
from latentdp.core.tables import read_table, write_table
from latentdp.data import radiograph
from latentdp.errors import InputError, UnsupportedInstance

__all__ = ["UidMapping", "beside_mapping", "check_mapping"]

COLUMNS = ("id_old", "id_new")


@dataclass
class _Replacements:
    """Old to new. What a released file says of itself outweighs what a duplicate adds."""

    own: set[tuple[str, str]] = field(default_factory=set)
    lent: dict[str, str] = field(default_factory=dict)

    def add(self, old: str, new: str, *, duplicate: bool) -> None:
        if not old or not new:
            return
        if duplicate:
            self.lent.setdefault(old, new)
        else:
            self.own.add((old, new))

    def load(self, path: Path) -> None:
        """Takes over the pairs of an earlier map: those of files that are not in this run."""
        for _, row in read_table(path, COLUMNS):
            self.add(row["id_old"], row["id_new"], duplicate=False)

    def write(self, path: Path) -> None:
        """Writes them, whole, readable by their owner only."""
        known = {old for old, _ in self.own}
        pairs = self.own | {pair for pair in self.lent.items() if pair[0] not in known}
        write_table(path, COLUMNS, sorted(pairs), mode=0o600)


def check_mapping(path: Path, *, source: Path, out: Path) -> None:
    """Refuses a place for a map. Writes nothing.

    Args:
        path: As for `UidMapping`.
        source: Input folder or file.
        out: Release folder.

    Raises:
        InputError: A file would lie in the input or the release, cannot be made there, or would
            replace one that is no such map or cannot be read.
    """
    for file in (path, beside_mapping(path)):
        place = file.resolve()
        if lies_in(place, source) or lies_in(place, out):
            raise InputError("the mapping must not lie inside the input or the output")
        if not place.parent.is_dir():
            raise InputError("expected the mapping's folder to exist; there is none")
        if file.exists():
            if not _is_map(file):
                raise InputError("expected a new file or an earlier mapping for --mapping-out")
            read_table(file, COLUMNS)


class UidMapping:
    """The map of a release of DICOM files: a picture has no identifier. It adds to an earlier one.

    Args:
        path: File for the UIDs of instances, series and studies; the patient IDs come beside it,
            under the same stem and ``.patients.csv``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._patients = beside_mapping(path)
        self._uids, self._people = _Replacements(), _Replacements()
        for file, pairs in ((path, self._uids), (self._patients, self._people)):
            if file.exists():
                pairs.load(file)

    def add(self, old: Path, new: Path, *, duplicate: bool = False) -> None:
        """Adds what a source and the output that stands for it say."""
        try:
            was, now = radiograph.identity(old), radiograph.released_identity(new)
        except UnsupportedInstance:  # a picture; or changed or removed while this runs
            return
        for kind in ("instance", "series", "study"):
            self._uids.add(getattr(was, kind), getattr(now, kind), duplicate=duplicate)
        self._people.add(was.patient, now.patient, duplicate=duplicate)

    def write(self) -> None:
        """Writes both files, whole, readable by their owner only."""
        self._uids.write(self._path)
        self._people.write(self._patients)


def beside_mapping(path: Path) -> Path:
    """Where the table of patient IDs lies, beside that of UIDs."""
    return path.with_name(f"{path.stem}.patients.csv")


def _is_map(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.readline().strip() == ",".join(COLUMNS).encode()
