"""The table of a release's images, made of nothing but what is public there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import UNSET, UnsetType

from latentdp.data import radiograph
from latentdp.data.dicom.header import Identity
from latentdp.data.label_space import LabelSpace
from latentdp.data.splits import Splits
from latentdp.errors import UnsupportedInstance
from latentdp.privacy.plan_description import LabelDescription
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.reports.image_table import ImageRow, ImageTable
from latentdp.reports.release_card import IMAGES
from latentdp.reports.release_contents import image_files

__all__ = ["table_of_release"]

PROBABILITY = "label_probability"


def table_of_release(
    out: Path,
    labels: Mapping[str, str],
    *,
    released: LabelDescription,
    space: LabelSpace,
    splits: Splits,
) -> ImageTable:
    """All files below the images folder, by their names.

    Args:
        out: The release folder.
        labels: Released label by path below the images folder.
        released: How labels are: by it each has the same probability to be the one that was given.
        space: What a released label may be.
        splits: By patient; a file that names none, as those of 0.1, is one of its own.
    """
    told = released.release != LabelRelease.NONE
    probabilities = _probabilities(released) if told else {}
    rows = []
    for path in image_files(out):
        name = path.relative_to(out / IMAGES).as_posix()
        said = _said(path)
        label = labels.get(name, "") if told else ""
        rows.append(
            ImageRow(
                file_name=f"{IMAGES}/{name}",
                label=label,
                probabilities=tuple(p if label else 0.0 for p in probabilities.values()),
                patient=said.patient,
                study=said.study,
                split=splits.of(said.patient or name),
            )
        )
    return ImageTable(
        rows=tuple(rows),
        probabilities=tuple(probabilities),
        classes=space.words if told else (),
        several=told and not space.has_classes,
    )


def _probabilities(released: LabelDescription) -> dict[str, float]:
    """That what is released is what was given, by column: of a label, or of each attribute."""
    if released.attributes is UNSET:
        return {PROBABILITY: _true(released.truth_probability)}
    return {
        f"{PROBABILITY} of {one.name}": _true(one.truth_probability) for one in released.attributes
    }


def _true(stated: float | UnsetType) -> float:
    return stated if isinstance(stated, float) else 1.0


def _said(path: Path) -> Identity:
    try:
        return radiograph.released_identity(path)
    except (UnsupportedInstance, OSError):
        return Identity(patient="", study="", series="", instance="")
