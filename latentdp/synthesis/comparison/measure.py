"""What readers learn from each set: for each seed, size of the cohort and epsilon.

Every contestant makes a set; a reader learns on it and is tested on originals of other patients.
A result is kept as soon as it is there, so that an interrupted comparison goes on with the next.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import Images
from latentdp.core.cache import Arrays
from latentdp.core.documents import JsonValue, from_json, to_json
from latentdp.core.progress import ProgressCallback, part, silent
from latentdp.core.version import __version__
from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import mu_of
from latentdp.reports.central_comparison import CentralRow, cell
from latentdp.synthesis.comparison.aucs import READERS, Aucs
from latentdp.synthesis.comparison.cohort import ComparedCohort
from latentdp.synthesis.comparison.contestants import Contestant, Made, Originals

__all__ = ["DELTA", "Grid", "MeasuredSet", "measured"]

DELTA = 1e-5
SHOWN = 12  # images of a set that are kept to be looked at
ENCODED = 0.1  # share of the work that encoding the cohort takes


@dataclass(frozen=True, kw_only=True)
class Grid:
    """What is measured.

    Attributes:
        patients: Sizes of the cohort; 0 for all.
        epsilons: Of a patient, in nats.
        seeds: How many, from 0.
        images: To draw for each set.
        readers: ``linear``, ``cnn`` or both.

    Raises:
        InputError: A value is out of its range.
    """

    patients: Sequence[int] = (300, 1_000, 3_000, 0)
    epsilons: Sequence[float] = (0.5, 1.0, 2.0, 4.0, 8.0)
    seeds: int = 1
    images: int = 1_000
    readers: Sequence[str] = ("linear",)

    def __post_init__(self) -> None:
        if not self.patients or min(self.patients) < 0:
            raise InputError("expected sizes of the cohort of at least 0, which is all")
        if not self.epsilons:
            raise InputError("expected at least one epsilon")
        for epsilon in self.epsilons:
            mu_of(epsilon, DELTA)
        if self.seeds < 1 or self.images < 2:
            raise InputError("expected at least 1 seed and 2 images")
        for reader in self.readers:
            if reader not in READERS:
                raise InputError(f"no reader {reader!r}; there are: {', '.join(READERS)}")


@dataclass(frozen=True, kw_only=True)
class MeasuredSet:
    """A set and what readers learnt from it.

    Attributes:
        rows: One for each reader.
        shown: A few of its images ``(k, h, w)`` in [0, 1].
    """

    rows: tuple[CentralRow, ...]
    shown: Images


def measured(
    cohort: ComparedCohort,
    chosen: Sequence[Contestant],
    grid: Grid,
    tell: ProgressCallback = silent,
) -> Iterator[MeasuredSet]:
    """All sets, by seed, size of the cohort and epsilon; originals first.

    Args:
        cohort: On whom.
        chosen: Who is compared.
        grid: With what.
        tell: Progress.
    """
    aucs = Aucs(cohort)
    cohort.latents(part(tell, 0, ENCODED))
    sizes = [(s, cohort.sample(n, s)) for s in range(grid.seeds) for n in grid.patients]
    budgets = [(one, epsilon) for epsilon in grid.epsilons for one in chosen]
    jobs = [(*size, *b) for size in sizes for b in ((Originals(), math.inf), *budgets)]
    for i, (seed, who, one, epsilon) in enumerate(jobs):
        tell(ENCODED + (1 - ENCODED) * i / len(jobs), f"{len(who):,} patients, {one.name}")
        yield _Set(cohort, grid, one, who, epsilon, seed).measured(aucs)


@dataclass(frozen=True)
class _Set:
    """A set that is made when something of it is asked for that is not kept.

    Attributes:
        cohort: On whom.
        grid: How many images, and which readers.
        one: Who makes it.
        who: Numbers of the patients.
        epsilon: Infinite for originals.
        seed: Of noise and readers.
    """

    cohort: ComparedCohort
    grid: Grid
    one: Contestant
    who: NDArray[np.int64]
    epsilon: float
    seed: int

    def measured(self, aucs: Aucs) -> MeasuredSet:
        """From where it is kept, or made anew."""
        place = self.cohort.kept.below(__version__)
        place = place.below(f"{len(self.who)}-{self.seed}-{self.grid.images}")
        name = f"{self.one.name} {self.epsilon:g}"
        rows = []
        for reader in self.grid.readers:
            row = place.values(f"{name} {reader}", partial(self._row, aucs, reader))
            rows.append(from_json(row, CentralRow, "a row of a comparison"))
        pixels = place.arrays(f"{name} shown", self._shown)["pixels"]
        return MeasuredSet(rows=tuple(rows), shown=(pixels / np.float32(255)).astype(np.float32))

    @cached_property
    def _made(self) -> tuple[Made, float]:
        """It, and how many seconds it took."""
        began = time.monotonic()
        made = self.one.make(
            self.cohort,
            self.who,
            epsilon=self.epsilon,
            delta=DELTA,
            images=self.grid.images,
            seed=self.seed,
        )
        return made, round(time.monotonic() - began, 1)

    def _row(self, aucs: Aucs, reader: str) -> JsonValue:
        made, seconds = self._made
        normal, findings = aucs.learnt(reader, made.images, self.seed)
        head = None if made.head is None else aucs.of(made.head)[0]
        protected = math.isfinite(self.epsilon)
        row = CentralRow(
            method=self.one.name,
            kind=self.one.kind,
            title=self.one.title,
            accounting=self.one.accounting,
            patients=len(self.who),
            epsilon=self.epsilon if protected else None,
            add_remove=made.add_remove,
            delta=DELTA if protected else None,
            seed=self.seed,
            images=len(made.images.images),
            reader=reader,
            normal=cell(normal),
            findings=cell(findings),
            head=None if head is None else head.value,
            seconds=seconds,
        )
        return to_json(row)  # type: ignore[no-any-return]

    def _shown(self) -> Arrays:
        images = self._made[0].images.images
        some = images[:: max(1, len(images) // SHOWN)][:SHOWN]
        return {"pixels": np.rint(255 * some).astype(np.uint8)}
