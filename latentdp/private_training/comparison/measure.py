"""What classifiers reach on other patients, and what they give away of their own.

What a classifier says of the tests, and of its cohort, is kept as soon as it is there, so that an
interrupted comparison goes on with the next.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from latentdp.core.cache import Arrays
from latentdp.core.progress import ProgressCallback, part, silent
from latentdp.core.version import __version__
from latentdp.errors import InputError
from latentdp.metrics.bootstrap import Estimate, Resamples, auc, estimate
from latentdp.metrics.decisions import accuracy, matthews
from latentdp.privacy.gaussian_accountant import mu_of
from latentdp.private_training.comparison.noise_point import NoisePoint
from latentdp.private_training.comparison.points import reads
from latentdp.reports.central_comparison import cell
from latentdp.reports.private_comparison import PrivateRow
from latentdp.synthesis.comparison.cohort import ComparedCohort
from latentdp.synthesis.vectors import PatientImages

__all__ = ["DELTA", "PrivateGrid", "rows"]

Matrix = NDArray[np.float64]

DELTA = 1e-5
FALSE_ALARMS = 0.01
ENCODED = 0.3  # share of the work that encoding takes
TOGETHER = 64  # images


@dataclass(frozen=True, kw_only=True)
class PrivateGrid:
    """What is measured.

    Attributes:
        patients: Sizes of the cohort; 0 for all.
        epsilons: Of a patient, in nats.
        seeds: How many cohorts and draws of noise, from 0.

    Raises:
        InputError: A value is out of its range.
    """

    patients: Sequence[int] = (500, 2_000)
    epsilons: Sequence[float] = (1.0, 2.0, 8.0)
    seeds: int = 5

    def __post_init__(self) -> None:
        if not self.patients or min(self.patients) < 0:
            raise InputError("expected sizes of the cohort of at least 0, which is all")
        if not self.epsilons:
            raise InputError("expected at least one epsilon")
        for epsilon in self.epsilons:
            mu_of(epsilon, DELTA)
        if self.seeds < 1:
            raise InputError("expected at least 1 seed")


def rows(
    cohort: ComparedCohort,
    finding: str,
    chosen: Sequence[NoisePoint],
    grid: PrivateGrid,
    tell: ProgressCallback = silent,
) -> Iterator[PrivateRow]:
    """All rows, by size of the cohort, epsilon and method; what needs no budget comes first.

    Args:
        cohort: On whom.
        finding: That is told from all else.
        chosen: Who is compared.
        grid: With what.
        tell: Progress.
    """
    world = _World(cohort, cohort.names.index(finding), part(tell, 0, ENCODED))
    free = [(one, None) for one in chosen if not one.private]
    paid = [(one, e) for e in grid.epsilons for one in chosen if one.private]
    jobs = [(n, *job) for n in grid.patients for job in (*free, *paid)]
    for i, (patients, one, epsilon) in enumerate(jobs):
        tell(ENCODED + (1 - ENCODED) * i / len(jobs), f"{patients or 'all'} patients, {one.name}")
        yield world.row(one, patients, epsilon, grid.seeds)


class _World:
    """A cohort with one finding, and the tests."""

    def __init__(self, cohort: ComparedCohort, column: int, tell: ProgressCallback) -> None:
        self._cohort, self._column = cohort, column
        cohort.latents(tell)
        self._tests = cohort.kept.arrays("test latents", self._encode)["latents"]
        tests = cohort.tests
        self._truth = tests.findings[:, column]
        self._weights = Resamples(tests.patients).of(np.arange(len(tests.patients)))

    def row(self, one: NoisePoint, patients: int, epsilon: float | None, seeds: int) -> PrivateRow:
        """Means over all seeds."""
        cohort = self._cohort
        row = PrivateRow(
            point=one.point,
            method=one.name,
            title=one.title,
            patients=len(cohort.sample(patients, 0)),
            epsilon=epsilon,
            add_remove=None,
            delta=DELTA if epsilon else None,
            seeds=seeds,
            auc=None,
            worst_auc=None,
            accuracy=None,
            matthews=None,
            members=None,
            revealed=None,
            refused="",
            seconds=0.0,
        )
        try:
            parts = [self._said(one, patients, epsilon, seed) for seed in range(seeds)]
        except InputError as error:
            return structs.replace(row, refused=str(error))
        aucs = [auc(p["tests"], self._truth, self._weights) for p in parts]
        decided = [p["tests"] >= 0 for p in parts]
        members = [self._members(p, patients, seed) for seed, p in enumerate(parts)]
        spent = float(parts[0]["add_remove"][0])
        return structs.replace(
            row,
            add_remove=spent if np.isfinite(spent) else None,
            auc=cell(_mean(aucs)),
            worst_auc=float(min(each[0] for each in aucs)),
            accuracy=cell(_mean([accuracy(d, self._truth, self._weights) for d in decided])),
            matthews=cell(_mean([matthews(d, self._truth, self._weights) for d in decided])),
            members=cell(_mean([each[0] for each in members])),
            revealed=float(np.mean([each[1] for each in members])),
            seconds=round(float(np.mean([p["seconds"][0] for p in parts])), 1),
        )

    def _said(self, one: NoisePoint, patients: int, epsilon: float | None, seed: int) -> Arrays:
        """Odds of the tests and of the cohort, from where they are kept, or made anew."""

        def make() -> Arrays:
            seen = self._seen(patients, seed)
            began = time.monotonic()
            taken = one.learn(
                self._cohort.public, seen, epsilon=epsilon or 1.0, delta=DELTA, seed=seed
            )
            seconds = time.monotonic() - began
            spent = np.inf if taken.add_remove is None else taken.add_remove
            images, latents = self._own(patients, seed)
            return {
                "tests": reads(taken.reader, self._cohort.tests.images, self._tests),
                "cohort": reads(taken.reader, images, latents),
                "add_remove": np.array([spent]),
                "seconds": np.array([seconds]),
            }

        kept = self._cohort.kept.below(__version__).below(f"private-{patients}-{seed}")
        return kept.arrays(f"{self._column} {one.name} {epsilon}", make)

    def _rows(self, patients: int, seed: int) -> NDArray[np.int64]:
        who = self._cohort.sample(patients, seed)
        return np.flatnonzero(np.isin(self._cohort.private.patients, who))

    def _own(self, patients: int, seed: int) -> tuple[NDArray[np.float32], Matrix]:
        mine = self._rows(patients, seed)
        return self._cohort.private.images[mine], self._cohort.latents()[mine]

    def _seen(self, patients: int, seed: int) -> PatientImages:
        seen = self._cohort.seen(self._cohort.sample(patients, seed))
        return replace(seen, findings=seen.findings[:, [self._column]])

    def _members(self, said: Arrays, patients: int, seed: int) -> tuple[Matrix, float]:
        """Resampled AUC of members by confidence in the truth; their share at few false alarms."""
        cohort, tests = self._cohort.private, self._cohort.tests
        mine = self._rows(patients, seed)
        truth = cohort.findings[mine, self._column]
        inside = np.where(truth, said["cohort"], -said["cohort"])
        outside = np.where(self._truth, said["tests"], -said["tests"])
        people = np.concatenate(
            [cohort.patients[mine], tests.patients + cohort.patients.max() + 1]
        )
        scores = np.concatenate([inside, outside])
        member = np.arange(len(scores)) < len(inside)
        weights = Resamples(people, count=200).of(np.arange(len(people)))
        limit = np.quantile(outside, 1 - FALSE_ALARMS)
        return auc(scores, member, weights), float((inside > limit).mean())

    def _encode(self) -> Arrays:
        images, flow = self._cohort.tests.images, self._cohort.flow
        parts = [
            flow.encode(images[first : first + TOGETHER])[:, flow.levels[0]]
            for first in range(0, len(images), TOGETHER)
        ]
        return {"latents": np.concatenate(parts)}


def _mean(values: Sequence[Matrix]) -> Estimate | None:
    """Of several seeds, resampled together."""
    return estimate(np.mean(values, axis=0))
