"""Data as weights were trained on them: what a flow's card says about its classes and sources."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.data.cohort import Cohort
from latentdp.data.dataset import Dataset, read_dataset

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow


__all__ = ["as_trained", "read_cohort"]


def as_trained(flow: Flow, source: Path, split: str) -> Dataset:
    """Reads one split of ``source`` in the way in which the flow's card says it was trained."""
    return read_dataset(
        source,
        split,
        size=flow.shape[0],
        conditions=flow.provenance.conditions,
        sources=flow.provenance.sources,
        classes=flow.classes,
    )


def read_cohort(data: Path, split: str, flow: Flow) -> Cohort:
    """One split of ``data`` as people to be recognised, read as the flow was trained on it."""
    return Cohort.of(as_trained(flow, data, split))
