"""Latents of a data set, and weights with directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from latentdp.core.arrays import UNKNOWN, evenly
from latentdp.data.dataset import Dataset
from latentdp.data.preprocess import unit
from latentdp.metrics.scatter import Groups
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.directions.finding import Directions
from latentdp.models.flow.checkpoint import DIRECTIONS, IDENTITY
from latentdp.models.flow.flow import Flow
from latentdp.models.model_card.directions_card import DirectionsCard

__all__ = ["Encoded", "Matrix", "encode", "with_directions"]


Matrix = NDArray[np.float64]


BATCH = 64  # images between two reports of progress
OF_A_PATIENT = 10  # images that directions are learnt from and judged by, at most


@dataclass(frozen=True)
class Encoded:
    """A split as latents, and what is known of each image.

    Attributes:
        latents: ``(n, d)``, encoded without labels.
        groups: Finding, stratum and patient of each image.
        cells: Stratum and finding of each image, by name.
        labels: ``(n,)`` class indices, or those of findings where the flow knows attributes; -1
            unknown.
        views: ``(n,)`` 0 for AP, 1 for PA, -1 unknown.
    """

    latents: Matrix
    groups: Groups
    cells: tuple[str, ...]
    labels: NDArray[np.int64]
    views: NDArray[np.int64]

    def few_of_each(self, most: int = OF_A_PATIENT) -> Encoded:
        """At most so many images of each patient, spread evenly over theirs.

        A patient counts as often as they have images, and their pairs are as many as its square:
        one of 137 images would outweigh hundreds.
        """
        patients = self.groups.patients
        order = np.argsort(patients, kind="stable")
        own = np.split(order, np.flatnonzero(np.diff(patients[order])) + 1)
        rows = np.sort(np.concatenate([images[evenly(len(images), most)] for images in own]))
        return Encoded(
            self.latents[rows],
            self.groups[rows],
            tuple(self.cells[row] for row in rows),
            self.labels[rows],
            self.views[rows],
        )


def encode(
    flow: Flow, data: Dataset, progress: Callable[[int, int], None] = lambda done, total: None
) -> Encoded:
    """Encodes a split without its labels, which would take out of the latent what they say."""
    latents = np.empty((len(data), flow.d))
    for start in range(0, len(data), BATCH):
        rows = slice(start, start + BATCH)
        latents[rows] = flow.encode(unit(data.pixels[rows]))
        progress(min(start + BATCH, len(data)), len(data))
    findings = [data.finding_names[f] if f >= 0 else "" for f in data.findings]
    views = {"AP": 0, "PA": 1}
    return Encoded(
        latents,
        Groups.of(data.findings, data.strata, data.patients),
        tuple(f"{stratum}|{name}" for stratum, name in zip(data.strata, findings, strict=True)),
        data.findings if flow.attributes else data.labels,
        np.array([views.get(view, UNKNOWN) for view in data.views], dtype=np.int64),
    )


def with_directions(
    checkpoint: Checkpoint, directions: Directions, card: DirectionsCard
) -> Checkpoint:
    """The weights with public directions as 16-bit floats, and their part of the card.

    `Flow` makes them orthonormal again to 64 bits; all other tensors are as they were.
    """
    tensors = {k: v for k, v in checkpoint.tensors.items() if k != IDENTITY}
    tensors[DIRECTIONS] = directions.rows.astype(np.float16)
    if len(directions.identity):
        level = 1 + int(np.flatnonzero(np.abs(directions.identity).max(axis=0))[-1])
        tensors[IDENTITY] = directions.identity[:, :level].astype(np.float16)
    described = structs.replace(checkpoint.card, directions=card)
    return replace(checkpoint, tensors=tensors, card=described, sha256="")
