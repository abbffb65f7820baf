"""The public images that weights were trained on, as their latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from latentdp.data.dataset import Dataset
from latentdp.models.checkpoints import load
from latentdp.models.directions.encode import Encoded, encode
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.training.training_data import as_trained

__all__ = ["LatentSplits", "read_latents"]


@dataclass(frozen=True)
class LatentSplits:
    """Splits as a flow sees them.

    Attributes:
        flow: That encodes them.
        images: By split.
        latents: By split, encoded without labels.
    """

    flow: Flow
    images: dict[str, Dataset]
    latents: dict[str, Encoded]


def read_latents(weights: str, data: Path, splits: Sequence[str]) -> LatentSplits:
    """Reads splits of a manifest as the weights were trained on them, and encodes them.

    Raises:
        InputError: There are no such weights or images.
    """
    flow = load_flow(load(weights))
    images = {split: as_trained(flow, data, split) for split in splits}
    return LatentSplits(flow, images, {s: encode(flow, part) for s, part in images.items()})
