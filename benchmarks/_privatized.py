"""What a method makes of a ground's splits, made once and kept: what protocols are run on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from latentdp.core.cache import Arrays, ResultCache, closed
from latentdp.core.progress import ProgressCallback, silent
from latentdp.data.cohort import Cohort
from latentdp.evaluation.datasets import BenchmarkDataset, fingerprint
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.threat_model import PairedImages
from latentdp.privacy.noise import SeededNoise

__all__ = ["Privatized", "privatized"]

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class Privatized:
    """One private copy of each image.

    Attributes:
        sides: By split: the originals, private images ``(1, n, h, w)`` and labels ``(1, n)``.
        notes: Where what is found about them may be kept.
    """

    sides: dict[str, PairedImages]
    notes: ResultCache


def privatized(
    method: Method,
    ground: BenchmarkDataset,
    state: Path,
    *,
    splits: Sequence[str] = SPLITS,
    seed: int = 0,
    tell: ProgressCallback = silent,
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
    place = closed(state / fingerprint(ground, method, seed=seed))
    notes = ResultCache(place)
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
        found[split] = PairedImages(
            cohort=cohort, private=arrays["images"][None], labels=arrays["labels"][None]
        )
    tell(1.0, "private")
    return Privatized(sides=found, notes=notes)
