"""What a method makes of a ground's splits, made once and kept: what protocols are run on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentdp import __version__
from latentdp.attacks.base import Side
from latentdp.cohort import Cohort
from latentdp.compare import Ground
from latentdp.examination import describe_method
from latentdp.methods import Method, Tell, silent
from latentdp.noise import SeededNoise
from latentdp.notes import Arrays, Notes, closed
from latentdp.ours import flow_of

__all__ = ["Privatized", "privatized"]

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class Privatized:
    """One private copy of each image.

    Attributes:
        sides: By split: the originals, private images ``(1, n, h, w)`` and labels ``(1, n)``.
        notes: Where what is found about them may be kept.
    """

    sides: dict[str, Side]
    notes: Notes


def privatized(
    method: Method,
    ground: Ground,
    state: Path,
    *,
    splits: Sequence[str] = SPLITS,
    seed: int = 0,
    tell: Tell = silent,
) -> Privatized:
    """Fits a method where it learns, and privatizes splits with it.

    Args:
        method: What is released.
        ground: Its splits and weights.
        state: Folder that an interrupted protocol goes on from, closed to others, since what is
            in it follows originals.
        splits: Which are privatized.
        seed: Of fit and noise.
        tell: Progress.

    Raises:
        InputError: The method refuses the images, or the state is of another run.
    """
    place = closed(state / _digest(method, ground, seed))
    notes = Notes(place)
    found, fitted = {}, False

    def ready() -> None:
        nonlocal fitted
        if not fitted:
            method.fit(ground.train, ground.val, seed=seed, state=place / "fit.state", tell=tell)
            fitted = True

    for i, split in enumerate(SPLITS):  # each has its own noise, whichever are wanted
        if split not in splits:
            continue
        cohort = getattr(ground, split)

        def made(i: int = i, cohort: Cohort = cohort) -> Arrays:
            ready()
            images, labels = method.privatize(
                cohort.images, cohort.labels, SeededNoise(10 * seed + i)
            )
            return {"images": images, "labels": labels}

        arrays = notes.arrays(f"private {split}", made)
        found[split] = Side(
            cohort=cohort, private=arrays["images"][None], labels=arrays["labels"][None]
        )
    tell(1.0, "private")
    return Privatized(sides=found, notes=notes)


def _digest(method: Method, ground: Ground, seed: int) -> str:
    """Names the folder of what follows from the same images, weights and method."""
    said = {
        "ground": ground.name,
        "weights": flow_of(ground.weights).sha256,
        "method": describe_method(method),
        "seed": seed,
        "version": __version__,
    }
    mac = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for split in SPLITS:
        cohort = getattr(ground, split)
        for array in (cohort.pixels, cohort.labels, cohort.findings, cohort.patients):
            mac.update(np.ascontiguousarray(array).data)
    return f"{ground.name}-{method.name}-{mac.hexdigest()[:12]}"
