"""What a hospital's list says of each original: the same list, read the same way, as a release's.

A release has one label of each image; readers may be asked for all findings that the list holds,
in its own words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from latentdp.data.dataset import NORMAL
from latentdp.data.dicom.examination import Examination
from latentdp.data.dicom.profile import Profile
from latentdp.data.label_names import LabelNames, Unresolved
from latentdp.data.label_space import LabelSpace
from latentdp.data.label_table import Key, LabelRow, LabelTable, names_in_tables
from latentdp.data.radiograph import examination
from latentdp.errors import InputError, UnsupportedInstance
from latentdp.evaluation.pairing import SourceLink

__all__ = ["with_listed"]


def with_listed(
    links: Sequence[SourceLink],
    source: Path,
    labels: Path,
    label_map: Path | None,
    space: LabelSpace,
    profile: Profile,
) -> list[SourceLink]:
    """The same links with findings and label of a list, where nothing else says them.

    Args:
        links: Of a release.
        source: The folder of originals.
        labels: CSV as `latentdp privatize --labels` takes it.
        label_map: CSV from its names to those of the weights; None for none.
        space: Labels that the weights know.
        profile: What a person says of the inputs.

    Raises:
        InputError: A CSV cannot be read, or no row fits an original.
    """
    names = LabelNames.read(space, label_map)
    table = LabelTable.read(labels, names)
    base = source if source.is_dir() else source.parent
    files = [link.original.relative_to(base).as_posix() for link in links]
    told, matched = [], 0
    for link, listed in zip(links, names_in_tables(files), strict=True):
        said = _said(link.original, profile, needed=table.key is not Key.FILE or bool(space.words))
        row = table.find(listed, said)
        if row is not None:
            matched += 1
            found = {"finding": ";".join(_findings(row, names)), "label": _label(row, names, said)}
            given = {name: value for name, value in link.known.items() if value}
            link = replace(link, known={**found, **given})
        told.append(link)
    if not matched:
        raise InputError(f"{labels.name}: no row fits an original by its {table.key.value}")
    return told


def _said(path: Path, profile: Profile, *, needed: bool) -> Examination:
    try:
        return examination(path, profile) if needed else Examination()
    except UnsupportedInstance:
        return Examination()


def _findings(row: LabelRow, names: LabelNames) -> list[str]:
    """In the list's own words, without those that count for nothing; all that is normal alike."""
    own = [name.strip().lower() for name in row.findings]
    kept = []
    for name in own:
        target = names.meant.get(name, name)
        plain = target.rpartition("/")[2]
        if not target:
            continue
        if name in NORMAL or plain in NORMAL:
            kept.append("normal")
        elif name in {c.lower() for c in names.space.classes}:
            kept.append(plain)  # what is not of a view
        else:
            kept.append(name)
    return list(dict.fromkeys(kept))


def _label(row: LabelRow, names: LabelNames, said: Examination) -> str:
    """The label that a release was given; empty where there is none, or several classes."""
    view = said.view
    known = [n for n in row.findings if not isinstance(names.resolve(n, view), Unresolved)]
    label = names.label(known, view)
    return names.space.name(label) if isinstance(label, int) else ""
