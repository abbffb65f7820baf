"""Labels of images, as whoever releases them would give them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from latentdp.core.arrays import UNKNOWN, Labels
from latentdp.models.training.training_data import as_trained

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["given_labels"]


def given_labels(
    flow: Flow, files: Sequence[str], options: argparse.Namespace, split: str
) -> Labels:
    """What the manifest says of each file, as the weights know it; unknown where they do not.

    Args:
        flow: Of the weights.
        files: Of the split.
        options: With ``data`` and ``source``.
        split: Of the manifest.
    """
    told = as_trained(flow, options.data, split, sources=options.source)
    said = dict(zip(told.files, told.labels.tolist(), strict=True))
    return np.array([said.get(file, UNKNOWN) for file in files], dtype=np.int64)
