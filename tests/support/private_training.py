"""What every method of private training must do, as functions that say what is wrong, if anything.

A spy stands where noise is drawn: it sees what each release is of, and may answer in its place, so
that two runs on different cohorts go the same way. The same functions are run on broken methods,
which they must catch. A law with chance alarms falsely once in a million.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from unittest.mock import patch

import numpy as np
from scipy import stats

from latentdp.privacy.guarantee import Relation
from latentdp.privacy.mechanisms.vmf import VonMisesFisher
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.private_training.accounting import rounds_of
from latentdp.private_training.methods import objective, sgd
from latentdp.private_training.methods.base import Taught, TrainingMethod
from latentdp.reports.training_card import (
    DirectionRelease,
    ObjectiveRelease,
    TrainingRecipe,
    TrainingRelease,
)
from latentdp.synthesis.vectors import PatientImages
from tests.support.synthesis import CORNERS, FINDINGS, patients, public

ALARM = 1e-6
RECIPE = TrainingRecipe(
    method="any",
    schedule="constant",
    epsilon=8.0,
    delta=1e-5,
    images_per_patient=30,
    findings=tuple("abc"),
)
_RELEASE, _PERTURB = NoisySum.release, VonMisesFisher.perturb
_MINIMUM = importlib.import_module("latentdp.private_training.methods._regularised").minimum


@dataclass
class Spy:
    """Sees all releases.

    Attributes:
        scripted: Whether it answers itself, the same whoever is asked.
        totals: Integers before the noise, release by release.
        noises: Mechanism of each.
        residuals: Noise of each, in its deviations; of what was not scripted.
        kappas: Of each noisy direction.
        people: Of each perturbed objective.
    """

    scripted: bool = True
    totals: list[np.ndarray] = field(default_factory=list)
    noises: list[NoisySum] = field(default_factory=list)
    residuals: list[np.ndarray] = field(default_factory=list)
    kappas: list[float] = field(default_factory=list)
    people: list[object] = field(default_factory=list)

    @contextmanager
    def watching(self) -> Iterator[Spy]:
        spy = self

        def release(self, total, noise):
            spy.totals.append(total.copy())
            spy.noises.append(self)
            if spy.scripted:
                return np.random.default_rng(len(spy.totals)).uniform(5, 50, len(total))
            answer = _RELEASE(self, total, noise)
            spy.residuals.append((answer * self.grid - total) / self.scale)
            return answer

        def perturb(self, latents, noise):
            spy.kappas.append(self.kappa)
            if not spy.scripted:
                return _PERTURB(self, latents, noise)
            direction = np.random.default_rng(len(spy.kappas)).normal(size=latents.shape)
            return direction / np.linalg.norm(direction)

        def minimum(people, regularisation, linear):
            spy.people.append(people)
            if spy.scripted:
                return np.random.default_rng(0).normal(size=linear.shape)
            return _MINIMUM(people, regularisation, linear)

        with (
            patch.object(NoisySum, "release", release),
            patch.object(VonMisesFisher, "perturb", perturb),
            patch.object(objective, "minimum", minimum),
            patch.object(sgd, "STEPS", 3),
        ):
            yield self


Kind = type[TrainingMethod]


def learnt(
    kind: Kind, cohort: list[PatientImages], spy: Spy, seed: int = 0
) -> tuple[Taught, TrainingMethod]:
    """What a method makes of a cohort while a spy watches."""
    with spy.watching():
        made = kind(public(), RECIPE, _plan(kind))
        for part in cohort:
            made.add(part)
        return made.learn(SeededNoise(seed)), made


@cache
def _plan(kind: Kind) -> tuple[TrainingRelease, ...]:
    return kind.plan(RECIPE)


def joined(*parts: PatientImages) -> PatientImages:
    """Patients of several parts as one, in this order."""
    names = ("latents", "thumbnails", "findings", "read")
    numbers, first = [], 0
    for part in parts:
        numbers.append(part.patients + first)
        first += int(part.patients[-1]) + 1
    return PatientImages(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names},
        patients=np.concatenate(numbers),
    )


def one_patient_moves_each_release_by_what_is_stated(kind: Kind) -> str:
    """Given the answers to all releases before, and the coins."""
    rest = patients([1, 2, 4], 3)
    for images in (1, 30):
        for corner in (None, *(CORNERS[1:] if kind.latents else (0, 255))):
            one, instead = (_at(images, seed, corner) for seed in (1, 2))
            spies = {}
            for name, cohort in (
                ("with", joined(rest, one)),
                (Relation.ADD_REMOVE, rest),
                (Relation.REPLACE_ONE, joined(rest, instead)),
            ):
                spies[name] = Spy()
                learnt(kind, [cohort], spies[name])
            for relation in Relation:
                for noise, a, b in zip(
                    spies["with"].noises,
                    spies["with"].totals,
                    spies[relation].totals,
                    strict=True,
                ):
                    if (moved := np.linalg.norm(a - b)) > noise.sensitivity(relation):
                        return f"{relation}: a sum moves by {moved} of {noise.grid}"
            for people in spies["with"].people:
                if np.linalg.norm(people.features, axis=1).max() > 1:
                    return "a patient is longer than 1"
                if len(people.features) != 4 or not (abs(people.shares - 0.5) <= 0.5).all():
                    return "a patient is more than one loss"
    return ""


def _at(images: int, seed: int, corner: float | None) -> PatientImages:
    """A patient at a corner: of latents, or all black and all white."""
    one = patients([images], seed, corner=corner)
    if corner in (0, 255):
        grey = corner if seed == 1 else 255 - corner
        one.thumbnails[:] = grey
    return one


def a_sum_follows_each_patient_alone(kind: Kind) -> str:
    """Integers add up exactly, whoever is beside whom."""
    parts = [patients([2], 5), patients([1], 6), patients([7], 7), patients([3] * 20, 8)]
    apart, together = Spy(), Spy()
    with patch.object(sgd, "coins", lambda noise, n: np.ones(n, dtype=bool)):
        learnt(kind, parts, apart)
        learnt(kind, [joined(*parts)], together)
    same = all(map(np.array_equal, apart.totals, together.totals))
    return "" if same else "mates change a record"


def the_classifier_follows_the_answers_alone(kind: Kind) -> str:
    one, _ = learnt(kind, [patients([1, 2, 3], 8)], Spy())
    other, _ = learnt(kind, [patients([1] * 50, 9)], Spy())
    first, second = one.reader.tensors(), other.reader.tensors()
    same = first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name]) for name in first
    )
    return "" if same and one.faint == other.faint else "it knows something else of the cohort"


def what_is_released_is_what_was_paid_for(kind: Kind) -> str:
    """As many releases, each with the noise of the plan."""
    spy = Spy()
    _, made = learnt(kind, [patients([1, 2, 3], 8)], spy)
    directions = [r for r in made.releases if isinstance(r, DirectionRelease)]
    objectives = [r for r in made.releases if isinstance(r, ObjectiveRelease)]
    sums = [r for r in made.releases if r not in directions and r not in objectives]
    if spy.noises != rounds_of(sums):
        return f"{len(spy.noises)} sums are released, and {len(rounds_of(sums))} were paid for"
    if spy.kappas != [r.kappa for r in directions for _ in range(r.rounds)]:
        return "other directions are released"
    return "" if len(spy.people) == len(objectives) else "other minima are released"


def noise_is_fresh_and_as_loud_as_stated(kind: Kind) -> str:
    """Variance of all entries together, and no two releases whose noise is alike."""
    spy = Spy(scripted=False)
    for seed in range(2):
        learnt(kind, [patients([1, 3], 10)], spy, seed)
    if not spy.residuals:
        return ""
    noise = np.concatenate(spy.residuals)
    low, high = stats.chi2.ppf([ALARM / 2, 1 - ALARM / 2], len(noise)) / len(noise)
    if not low < (noise**2).mean() < high:
        return "the noise is of another size"
    ends = [tuple(np.round(one[-4:], 6)) for one in spy.residuals if len(one) >= 4]
    return "" if len(set(ends)) == len(ends) else "two releases share their noise"


Law = Callable[[Kind], str]
LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        one_patient_moves_each_release_by_what_is_stated,
        a_sum_follows_each_patient_alone,
        the_classifier_follows_the_answers_alone,
        what_is_released_is_what_was_paid_for,
        noise_is_fresh_and_as_loud_as_stated,
    )
}
assert len(RECIPE.findings) == FINDINGS
