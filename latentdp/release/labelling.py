"""Which label each input has, settled before anything is charged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from latentdp.core.arrays import UNKNOWN
from latentdp.core.text import printable
from latentdp.data.dicom.examination import Examination
from latentdp.data.dicom.profile import Profile
from latentdp.data.label_names import LabelNames, Unresolved
from latentdp.data.label_space import LabelSpace
from latentdp.data.label_table import LabelRow, LabelTable, names_in_tables
from latentdp.data.radiograph import examination, reader
from latentdp.data.row_labels import RowLabels
from latentdp.errors import InputError, UnsupportedInstance
from latentdp.privacy.randomized_response import Unlabelled
from latentdp.release.inputs import SourceFile
from latentdp.release.tasks import Refusal, read_input

__all__ = ["labelled"]

_NAMED = 20  # of unknown labels; a list of free texts has as many as rows
_LONGEST = 40


def labelled(
    files: Sequence[SourceFile],
    labels: Path,
    label_map: Path | None,
    space: LabelSpace,
    profile: Profile,
    unlabelled: Unlabelled | None,
    released: Sequence[str] = (),
) -> list[SourceFile]:
    """The same files with the labels of a list.

    Args:
        files: All of the input.
        labels: CSV that tells inputs by file, UIDs, accession number or patient.
        label_map: CSV from its names of findings to those of the weights; None for none.
        space: Labels that the weights know.
        profile: What a person says of the inputs.
        unlabelled: What becomes of a radiograph without a label; None where labels are not used.
        released: Attributes that are released, where labels say several: of the others nothing
            is taken, and an input of which none of these is known has no label.

    Raises:
        InputError: A CSV cannot be read, fits no input, has labels that the weights do not know
            or several for one input; or an input has none, and that is refused. Of a patient's
            file nothing is named.
    """
    names = LabelNames.read(space, label_map)
    table = LabelTable.read(labels, names)
    if unlabelled is None:
        return list(files)
    search = _Search(table, names, profile, RowLabels(table, names, released))
    labelled = [
        replace(file, label=search.label(file, listed))
        for file, listed in zip(files, names_in_tables(f.name for f in files), strict=True)
    ]
    search.check(unlabelled)
    return labelled


@dataclass
class _Search:
    """Finds labels, and keeps account of what is wrong with them.

    Attributes:
        table: The list.
        names: Of findings.
        profile: What a person says of the inputs.
        rows: What its rows say.
        unknown: Labels that the weights do not know, and of how many inputs.
        several: Lines whose findings contradict each other, as several classes do.
        missing: Inputs without a row, or with an empty one.
        unseen: Inputs whose label needs a view that they do not state.
        matched: Inputs with a row.
    """

    table: LabelTable
    names: LabelNames
    profile: Profile
    rows: RowLabels
    unknown: Counter[str] = field(default_factory=Counter)
    several: set[int] = field(default_factory=set)
    missing: int = 0
    unseen: int = 0
    matched: int = 0

    def label(self, file: SourceFile, listed: Sequence[str]) -> int:
        """Of one input; unknown for what cannot be released anyway, which counts nowhere.

        Args:
            file: The input.
            listed: Names by which it may be listed.
        """
        row = self.table.find(listed, Examination())
        if row is not None and "view" not in self.rows.told:  # which the header may say
            label = self._resolve(row, "")
            if label is not Unresolved.NO_VIEW:
                return self._counted(label)
        try:
            said = examination(file.path, self.profile)
        except UnsupportedInstance:
            return UNKNOWN
        row = row or self.table.find(listed, said)
        if row is None:
            self.missing += not _is_damaged_picture(file.path, self.profile)
            return UNKNOWN
        return self._counted(self._resolve(row, said.view))

    def _resolve(self, row: LabelRow, view: str) -> int | Unresolved:
        label = self.rows.label(row, view)
        if label is Unresolved.UNKNOWN:
            self.unknown.update(
                name
                for name in {*row.findings}
                if self.names.resolve(name, view) is Unresolved.UNKNOWN
            )
        elif label is Unresolved.SEVERAL:
            self.several.add(row.line)
        return label

    def _counted(self, label: int | Unresolved) -> int:
        self.matched += 1
        if isinstance(label, int):
            return label
        self.unseen += label is Unresolved.NO_VIEW
        self.missing += label is Unresolved.IGNORED
        return UNKNOWN

    def check(self, unlabelled: Unlabelled) -> None:
        """Refuses what is wrong, all of one kind at once."""
        list_ = self.table.name
        if self.unknown:
            named = ", ".join(repr(printable(n)[:_LONGEST]) for n in sorted(self.unknown)[:_NAMED])
            more = f" and {len(self.unknown) - _NAMED} more" if len(self.unknown) > _NAMED else ""
            raise InputError(
                f"{list_}: the weights do not know the labels {named}{more}; they know "
                f"{', '.join(self.names.findings)}. Say which is which with --label-map CSV "
                "(columns from, to; an empty to counts for nothing), or use weights that know "
                "them: latentdp weights train, from these with --start; latentdp synthesize "
                "learns any findings"
            )
        if self.several:
            lines = sorted(self.several)
            if not self.names.space.has_classes:
                raise InputError(
                    f"{list_} line {lines[0]}: expected findings that agree, got some that "
                    f"contradict each other, as in {_lines(lines)}; decide which counts"
                )
            raise InputError(
                f"{list_} line {lines[0]}: expected findings that are one class of these "
                f"weights, got several, as in {_lines(lines)}; an image has one class: map "
                "them onto one with --label-map, or decide which counts"
            )
        if not self.matched and self.missing:
            raise InputError(
                f"{list_}: no row fits an input by its {self.table.key.value}"
                + (" and date" if self.table.dated else "")
                + "; rename a column if another one tells the inputs"
            )
        if unlabelled is Unlabelled.REFUSE and self.missing + self.unseen:
            view = (
                f" (of which {self.unseen} have one that needs AP or PA, which their View "
                "Position (0018,5101) does not tell; write it into the list, as PA/finding)"
                if self.unseen
                else ""
            )
            without = self.missing + self.unseen
            raise InputError(
                f"{without} {'input has' if without == 1 else 'inputs have'} no label in "
                f"{list_}{view}; complete it (latentdp explain names them), or say with "
                "--unlabelled what becomes of them: unknown (released without a label) or random "
                "(a class by chance)"
            )


def _lines(lines: Sequence[int]) -> str:
    return "1 line" if len(lines) == 1 else f"{len(lines):,} lines"


def _is_damaged_picture(path: Path, profile: Profile) -> bool:
    """Whether a file without a header is no image either, as what macOS leaves beside each is."""
    return reader(path) == "picture" and isinstance(read_input((path, (1, 1), profile)), Refusal)
