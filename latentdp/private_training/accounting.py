"""What the releases on a card cost a patient: every epsilon follows from their own parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import GaussianAccountant, Rounds, mu_of
from latentdp.privacy.guarantee import Guarantee, Relation, Unit, above
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.privacy.objective_perturbation import PerturbedObjective
from latentdp.privacy.sampled_gaussian_accountant import SampledRounds, sampled_guarantee
from latentdp.reports.synthesis_card import CentralGuarantee, PatientBound
from latentdp.reports.training_card import (
    DirectionRelease,
    GaussianRelease,
    ObjectiveRelease,
    SampledRelease,
    TrainingRelease,
)
from latentdp.reports.training_words import NOT_COVERED, metric, statement

__all__ = [
    "Part",
    "central_guarantee",
    "gaussian_releases",
    "noise_of",
    "patient_guarantee",
    "released",
    "rounds_of",
]

Part = tuple[str, float, int]
"""What is released, its share of mu^2, and how often: all rounds of a part have the share."""


def patient_guarantee(
    releases: Sequence[TrainingRelease], delta: float, relation: Relation
) -> Guarantee:
    """Of a patient, over everything that is released.

    Args:
        releases: All that touch the cohort, fixed beforehand.
        delta: In (0, 1).
        relation: Of cohorts.

    Raises:
        InputError: Releases that no accountant here adds up, or noise that is none.
    """
    sums = [each for each in releases if isinstance(each, GaussianRelease | SampledRelease)]
    directions = [each for each in releases if isinstance(each, DirectionRelease)]
    objectives = [each for each in releases if isinstance(each, ObjectiveRelease)]
    if sums and not (directions or objectives):
        return _of_sums(sums, delta, relation)
    if directions and not (sums or objectives):
        epsilon = math.fsum(above(2 * each.kappa) * each.rounds for each in directions)
        return Guarantee(epsilon=above(epsilon), unit=Unit.PATIENT, relation=relation, exact=False)
    if len(objectives) == 1 and not (sums or directions):
        return objective_of(objectives[0]).guarantee(delta, relation)
    raise InputError("the card lists releases that cannot be added up")


def central_guarantee(
    releases: Sequence[TrainingRelease], delta: float, *, numerics: str, secure: bool
) -> CentralGuarantee:
    """What a training guarantees, under both relations; charged is the larger.

    Args:
        releases: All that touch the cohort.
        delta: In (0, 1), that may be spent; what needs none states 0.
        numerics: Of the method.
        secure: False where the noise came from a seed.
    """
    replace_one, add_remove = (
        replace(patient_guarantee(releases, delta, relation), secure=secure)
        for relation in (Relation.REPLACE_ONE, Relation.ADD_REMOVE)
    )
    metrics = [
        metric(each.kappa, each.rounds) for each in releases if isinstance(each, DirectionRelease)
    ]
    return CentralGuarantee(
        replace_one=PatientBound.of(replace_one),
        add_remove=PatientBound.of(add_remove),
        charged=max(replace_one.epsilon, add_remove.epsilon),
        private=secure,
        numerics=numerics,
        statement=(*statement(replace_one, add_remove), *metrics),
        not_covered=NOT_COVERED,
    )


def gaussian_releases(
    epsilon: float, delta: float, parts: Sequence[Part]
) -> tuple[GaussianRelease, ...]:
    """The least noise of sums that costs a patient at most (epsilon, delta), replace-one.

    Args:
        epsilon: In nats.
        delta: In (0, 1).
        parts: With shares that add up to 1.

    Raises:
        InputError: A budget that is none, or too small for so many releases.
    """
    mu = mu_of(epsilon, delta) / 2  # add-remove: half of replace-one
    while True:
        releases = tuple(
            released(what, NoisySum.calibrate(mu * math.sqrt(share / times)), times)
            for what, share, times in parts
        )
        if _of_sums(releases, delta, Relation.REPLACE_ONE).epsilon <= epsilon:
            return releases
        mu *= 1 - 1e-9


def released(what: str, noise: NoisySum, rounds: int) -> GaussianRelease:
    """A kind of release, as a card has it."""
    return GaussianRelease(what=what, rounds=rounds, grid=noise.grid, scale=noise.scale)


def rounds_of(releases: Sequence[TrainingRelease]) -> list[NoisySum]:
    """The noise of each round of releases of sums, one after the other."""
    times = [1 if isinstance(each, ObjectiveRelease) else each.rounds for each in releases]
    return [noise_of(r) for r, n in zip(releases, times, strict=True) for _ in range(n)]


def noise_of(release: TrainingRelease) -> NoisySum:
    """The noise of a release of sums.

    Raises:
        InputError: It is of another kind.
    """
    if not isinstance(release, GaussianRelease | SampledRelease):
        raise InputError("expected a release of noisy sums")
    return NoisySum(grid=release.grid, scale=release.scale)


def objective_of(release: ObjectiveRelease) -> PerturbedObjective:
    """The mechanism of a release of a minimum."""
    return PerturbedObjective(
        findings=release.findings,
        regularisation=release.regularisation,
        curvature=release.curvature,
        scale=release.scale,
        pure=release.pure,
    )


def _of_sums(
    releases: Sequence[GaussianRelease | SampledRelease], delta: float, relation: Relation
) -> Guarantee:
    """Exactly where all take part in all rounds; by loss distributions where coins decide."""
    gaussian = [each for each in releases if isinstance(each, GaussianRelease)]
    if len(gaussian) == len(releases):
        rounds = [Rounds(noise_of(each), each.rounds) for each in gaussian]
        return GaussianAccountant(rounds).guarantee(delta, relation)
    return sampled_guarantee(
        [
            SampledRounds(
                probability=getattr(each, "probability", 1.0),
                deviation=noise_of(each).deviation,
                times=each.rounds,
            )
            for each in releases
        ],
        delta,
        relation,
    )
