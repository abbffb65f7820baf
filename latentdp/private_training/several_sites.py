"""The card of a classifier that several sites trained in rounds, each under noise of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from msgspec import structs

from latentdp.core.documents import to_json
from latentdp.core.version import __version__
from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import GaussianAccountant, Rounds, epsilon_of
from latentdp.privacy.guarantee import Guarantee, Relation, Unit, above
from latentdp.private_training.accounting import noise_of
from latentdp.private_training.describe import PUBLIC, TOOL, touched, warnings_of_training
from latentdp.release.verification.check import CALIBRATION, Check, equal
from latentdp.reports.release_card_parts import CardWeights
from latentdp.reports.synthesis_card import CentralGuarantee, PatientBound
from latentdp.reports.synthesis_words import AT_SEVERAL
from latentdp.reports.training_card import (
    GaussianRelease,
    PrivateTraining,
    TrainedSite,
    WholeSite,
)
from latentdp.reports.training_words import LOST, NOT_COVERED, USE, site_as_unit, statement
from latentdp.synthesis.learnt_checks import same

__all__ = ["FEDERATED", "joined_checks", "joined_training", "whole_site"]

FEDERATED = "federated"
MAGNITUDE = "the order of magnitude of the number of patients of each site"


def whole_site(training: PrivateTraining, patients: int) -> WholeSite:
    """What a hospital risks if it is the unit: by groups, as a patient's bound for one.

    Releases that are mu-GDP for a patient are k mu-GDP for k of them (Dong, Roth and Su 2019,
    "Gaussian differential privacy", theorem 3).

    Args:
        training: How the hospital answers.
        patients: How many it has at most.

    Raises:
        InputError: Releases that are no noisy sums of all patients.
    """
    rounds = []
    for release in training.releases:
        if not isinstance(release, GaussianRelease):
            raise InputError("expected releases of noisy sums of all patients")
        rounds.append(Rounds(noise_of(release), release.rounds))
    mu = above(patients * GaussianAccountant(rounds).mu(Relation.REPLACE_ONE))
    delta = training.recipe.delta
    return WholeSite(epsilon=epsilon_of(mu, delta), delta=delta, patients=patients)


def joined_training(
    sites: Sequence[TrainedSite], weights: CardWeights, *, faint: bool
) -> PrivateTraining:
    """All that is said of what sites trained together.

    Each patient's guarantee is that of their own site, so the largest is stated for all. No words
    of a site's own card are taken over: nobody has checked them.

    Args:
        sites: At least one, of the same findings, rounds and weights.
        weights: Public ones, as whoever asked has them.
        faint: Whether all together hardly stand out of their noise.
    """
    parts = [site.training for site in sites]
    first, recipes = parts[0], [part.recipe for part in parts]
    guarantee = _joined_guarantee(sites)
    return PrivateTraining(
        tool=TOOL,
        version=__version__,
        use=USE,
        model=FEDERATED,
        run=_run(sites),
        recipe=structs.replace(
            first.recipe,
            epsilon=max(recipe.epsilon for recipe in recipes),
            delta=max(recipe.delta for recipe in recipes),
            images_per_patient=max(recipe.images_per_patient for recipe in recipes),
            accept_burned_in=any(recipe.accept_burned_in for recipe in recipes),
            all_chests=any(recipe.all_chests for recipe in recipes),
            all_frontal=any(recipe.all_frontal for recipe in recipes),
        ),
        releases=(),
        guarantee=guarantee,
        weights=weights,
        public=(*PUBLIC, MAGNITUDE),
        touched=tuple(dict.fromkeys(touched(each) for part in parts for each in part.releases)),
        warnings=warnings_of_training(guarantee, faint=faint),
        sites=tuple(sites),
    )


def joined_checks(
    training: PrivateTraining, of_cohort: Callable[[PrivateTraining], list[Check]]
) -> list[Check]:
    """What each site claims, and that the largest is stated for all.

    Args:
        training: Of several sites.
        of_cohort: What the card of one of them claims.

    Raises:
        InputError: There is no such method, or the releases cannot be added up.
    """
    checks = []
    for site in training.sites:
        checks += [
            replace(check, claim=f"site {site.name}: {check.claim}")
            for check in of_cohort(site.training)
        ]
        whole = whole_site(site.training, site.whole.patients)
        checks.append(
            equal(
                f"site {site.name}: bound of the site as the unit",
                to_json(site.whole),
                to_json(whole),
                CALIBRATION,
            )
        )
    stated, follows = training.guarantee, _joined_guarantee(training.sites)
    keys = [site.key for site in training.sites]
    asked = {(site.training.findings, site.training.recipe.rounds) for site in training.sites}
    started = {site.training.weights.sha256 for site in training.sites}
    warnings = warnings_of_training(follows, faint=False)
    return [
        *checks,
        same("tool and model", [training.tool, training.model], [TOOL, FEDERATED]),
        same("each site once", len(keys), len(set(keys))),
        same(
            "findings and rounds are those of every site",
            asked == {(training.findings, training.recipe.rounds)},
            True,
        ),
        same("weights are those of every site", started == {training.weights.sha256}, True),
        *(
            equal(
                f"bound of a patient, {getattr(follows, name).relation}",
                to_json(getattr(stated, name)),
                to_json(getattr(follows, name)),
                CALIBRATION,
            )
            for name in ("replace_one", "add_remove")
        ),
        equal("charged to each patient", stated.charged, follows.charged, CALIBRATION),
        same("noise from a secure source", stated.private, follows.private),
        same("numerics", stated.numerics, follows.numerics),
        same("statement", stated.statement, follows.statement),
        same("not covered", stated.not_covered, follows.not_covered),
        same("warnings", [w for w in training.warnings if w != LOST], list(warnings)),
        same("releases beside those of the sites", list(training.releases), []),
    ]


def _joined_guarantee(sites: Sequence[TrainedSite]) -> CentralGuarantee:
    """Of cohorts that share no patient: the largest bounds hold for everybody."""
    parts = [site.training.guarantee for site in sites]
    replace_one = _largest([part.replace_one for part in parts], Relation.REPLACE_ONE)
    add_remove = _largest([part.add_remove for part in parts], Relation.ADD_REMOVE)
    whole = max((site.whole for site in sites), key=lambda whole: whole.epsilon)
    return CentralGuarantee(
        replace_one=PatientBound.of(replace_one),
        add_remove=PatientBound.of(add_remove),
        charged=max(part.charged for part in parts),
        private=all(part.private for part in parts),
        numerics=parts[0].numerics,
        statement=(
            *statement(replace_one, add_remove),
            site_as_unit(whole.epsilon, whole.delta, whole.patients),
        ),
        not_covered=(*NOT_COVERED, AT_SEVERAL),
    )


def _largest(bounds: Sequence[PatientBound], relation: Relation) -> Guarantee:
    return Guarantee(
        epsilon=max(bound.epsilon for bound in bounds),
        delta=max(bound.delta for bound in bounds),
        unit=Unit.PATIENT,
        relation=relation,
    )


def _run(sites: Sequence[TrainedSite]) -> str:
    """The same sites train the same thing, in any order."""
    runs = ";".join(sorted(f"{site.key} {site.training.run}" for site in sites))
    return hashlib.sha256(runs.encode()).hexdigest()[:32]
