"""What a hospital's list says of each original: the same list, read the same way, as a release's.

A release has one label of each image; readers may be asked for all findings that the list holds,
in its own words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from latentdp.core.arrays import UNKNOWN
from latentdp.data.dataset import NORMAL
from latentdp.data.dicom.examination import Examination
from latentdp.data.dicom.profile import Profile
from latentdp.data.label_names import LabelNames, Unresolved
from latentdp.data.label_space import LabelSpace
from latentdp.data.label_table import Key, LabelRow, LabelTable, names_in_tables
from latentdp.data.radiograph import examination
from latentdp.data.row_labels import RowLabels
from latentdp.errors import InputError, UnsupportedInstance
from latentdp.evaluation.pairing import SourceLink
from latentdp.recipe import Recipe

__all__ = ["with_listed"]

NONE_LISTED = "none listed"  # where other findings than the list's columns may be there


def with_listed(
    links: Sequence[SourceLink],
    source: Path,
    labels: Path,
    label_map: Path | None,
    space: LabelSpace,
    recipe: Recipe,
) -> list[SourceLink]:
    """The same links with findings and label of a list, where nothing else says them.

    Args:
        links: Of a release.
        source: The folder of originals.
        labels: CSV as `latentdp privatize --labels` takes it.
        label_map: CSV from its names to those of the weights; None for none.
        space: Labels that the weights know.
        recipe: Of the release: what a person says of the inputs, and what is released of labels.

    Raises:
        InputError: A CSV cannot be read, or no row fits an original.
    """
    names = LabelNames.read(space, label_map)
    table = LabelTable.read(labels, names)
    rows = RowLabels(table, names, recipe.release_findings)
    base = source if source.is_dir() else source.parent
    files = [link.original.relative_to(base).as_posix() for link in links]
    told, matched = [], 0
    for link, listed in zip(links, names_in_tables(files), strict=True):
        needed = table.key is not Key.FILE or bool(space.words)
        said = _said(link.original, recipe.profile, needed=needed)
        row = table.find(listed, said)
        if row is not None:
            matched += 1
            found = {"finding": ";".join(_findings(row, rows))}
            given = {name: value for name, value in link.known.items() if value}
            link = replace(link, known={**found, **given}, label=_label(row, rows, said))
        told.append(link)
    if not matched:
        raise InputError(f"{labels.name}: no row fits an original by its {table.key.value}")
    return told


def _said(path: Path, profile: Profile, *, needed: bool) -> Examination:
    try:
        return examination(path, profile) if needed else Examination()
    except UnsupportedInstance:
        return Examination()


def _findings(row: LabelRow, rows: RowLabels) -> list[str]:
    """In the list's own words, without those that count for nothing; all that is normal alike."""
    names, kept = rows.names, []
    classes = {name.lower() for name in names.space.classes}
    nothing = NORMAL | {names.space.none.lower()}
    for name in (name.strip().lower() for name in row.findings):
        target = names.meant.get(name, name)
        plain = target.rpartition("/")[2]
        if not target or _of_no_finding(target, names):
            continue
        if name in nothing or plain in nothing:
            kept.append("normal" if row.says_all or rows.all_findings else NONE_LISTED)
        elif name in classes:
            kept.append(plain)  # what is not of a view
        else:
            kept.append(name)
    return list(dict.fromkeys(kept))


def _of_no_finding(name: str, names: LabelNames) -> bool:
    """Whether it is the word of a view, a sex or an age."""
    meaning = None if names.space.has_classes else names.space.meaning(name)
    return meaning is not None and not any(names.space.attributes[i].is_finding for i in meaning)


def _label(row: LabelRow, rows: RowLabels, said: Examination) -> int:
    """The label that a release was given; unknown where there is none, or several classes."""
    known = [
        name
        for name in row.findings
        if not isinstance(rows.names.resolve(name, said.view), Unresolved)
    ]
    label = rows.label(replace(row, findings=tuple(known)), said.view)
    return label if isinstance(label, int) else UNKNOWN
