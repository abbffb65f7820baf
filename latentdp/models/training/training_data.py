"""Data as weights were trained on them: what a flow's card says about its classes and sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentdp.core.arrays import UNKNOWN
from latentdp.core.attributes import ABSENT, PRESENT, Attribute, labels_of
from latentdp.data.cohort import Cohort
from latentdp.data.dataset import SPLITS, Dataset, read_dataset, splits
from latentdp.data.label_space import NO_FINDING
from latentdp.errors import InputError
from latentdp.models.flow.chest_attributes import attribute_values, finding_columns

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow


__all__ = ["as_trained", "read_cohort", "splits_as_trained", "told"]

NEEDED = ("train", "val")


def as_trained(
    flow: Flow, source: Path, split: str, *, sources: Sequence[str] | None = None
) -> Dataset:
    """Reads one split of ``source`` in the way in which the flow's card says it was trained.

    With ``sources`` only these of them. Where the flow knows attributes, labels say what the
    manifest says of them, and the finding of an image is the only one that it shows, or that
    there is none: of several it is unknown.
    """
    data = read_dataset(
        source,
        split,
        size=flow.shape[0],
        conditions=flow.provenance.conditions,
        sources=tuple(sources or flow.provenance.sources),
        classes=flow.classes,
    )
    return told(data, flow.attributes) if flow.attributes else data


def splits_as_trained(
    flow: Flow,
    source: Path,
    *,
    only: Sequence[str] = SPLITS,
    sources: Sequence[str] | None = None,
) -> dict[str, Dataset]:
    """Splits of ``source``, each read by `as_trained`: train, val and, where there is one, test.

    Args:
        flow: Whose card says how.
        source: A manifest or a folder.
        only: Splits that are wanted.
        sources: Only these of the card's.

    Raises:
        InputError: No images of train or val; then nothing has been read.
    """
    there = splits(source)
    lacking = [split for split in NEEDED if split not in there]
    if lacking:
        raise InputError(f"no images of split {lacking[0]!r} in {source}")
    return {
        split: as_trained(flow, source, split, sources=sources) for split in only if split in there
    }


def told(data: Dataset, attributes: Sequence[Attribute]) -> Dataset:
    """Images with labels of these attributes, and with findings one of which an image shows.

    Images of people whose age is in none of the attribute's bands are left out: the flow has
    never seen any.
    """
    values = attribute_values(data, attributes)
    for i, one in enumerate(attributes):
        if one.name == "age":
            seen = np.isnan(data.ages) | (values[:, i] != UNKNOWN)
            data, values = data.only(seen), values[seen]
    columns = finding_columns(attributes)
    shown = values[:, columns]
    alone = ((shown == PRESENT).sum(axis=1) == 1) & (shown != UNKNOWN).all(axis=1)
    none = (shown == ABSENT).all(axis=1) & (len(columns) > 0)
    # Sorted, as the names of findings are everywhere.
    names = sorted([*(attributes[i].name for i in columns), NO_FINDING])
    place = np.array([names.index(attributes[i].name) for i in columns], dtype=np.int64)
    findings = np.full(len(data), UNKNOWN, dtype=np.int64)
    findings[none] = names.index(NO_FINDING)
    if alone.any():
        findings[alone] = place[(shown[alone] == PRESENT).argmax(axis=1)]
    there, findings[findings >= 0] = np.unique(findings[findings >= 0], return_inverse=True)
    return replace(
        data,
        labels=labels_of(attributes, values),
        findings=findings,
        finding_names=tuple(names[i] for i in there),
    )


def read_cohort(data: Path, split: str, flow: Flow) -> Cohort:
    """One split of ``data`` as people to be recognised, read as the flow was trained on it."""
    return Cohort.of(as_trained(flow, data, split))
