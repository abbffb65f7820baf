"""Recomputes what the card of a classifier claims from the noise that stands on it.

No images, no vault and no weights are needed. The signature shows that neither the card nor what
the classifier reads with was altered since. It cannot tell whether the classifier was learnt as
the card says.
"""

from __future__ import annotations

from pathlib import Path

from latentdp.core.documents import to_json
from latentdp.private_training.classifier import Classifier
from latentdp.private_training.describe import (
    MODEL,
    TOOL,
    guarantee_of_recipe,
    warnings_of_training,
)
from latentdp.private_training.methods.base import method_of
from latentdp.private_training.several_sites import joined_checks
from latentdp.release.verification.check import CALIBRATION, Check, equal, following
from latentdp.release.verify import Verification
from latentdp.reports.training_card import PrivateTraining
from latentdp.reports.training_words import LOST
from latentdp.synthesis.learnt_checks import at_most, same
from latentdp.synthesis.verify import verify as verify_others

__all__ = ["training_checks", "verify", "verify_classifier"]

SUFFIX = ".safetensors"
NOT_CHECKED = (
    "whether it was learnt as the card says: noise leaves no proof of how it was drawn",
    "what only the vault knows: who is in the cohort, and what else was released of them",
    "what the public weights learnt from",
    "whose vault signed it: that of the key which the hospital tells you by another way",
)
OF_SITES = (
    *NOT_CHECKED[:-1],
    "whether the sites answered what it is made of: each signs its answers, which whoever asked "
    "them has checked and holds; the classifier itself has no signature",
)


def verify(release: str | Path) -> Verification:
    """Recomputes what a release, a synthesis or a classifier claims from its own card.

        >>> import latentdp
        >>> _ = latentdp.privatize_folder("samples/cxr/clinic-a", "release")
        >>> latentdp.verify("release").ok
        True

    Args:
        release: The folder of a release or a synthesis, its ``release.json``, or the file of a
            classifier.

    Raises:
        InputError: There is no card of this tool, or it lacks what the checks need.
        WeightsError: The file of a classifier is damaged.
    """
    place = Path(release)
    if place.suffix == SUFFIX and place.is_file():
        return verify_classifier(place)
    return verify_others(place)


def verify_classifier(place: Path) -> Verification:
    """Recomputes all claims of the card in a classifier's file.

    Raises:
        InputError: The releases on it are none that can be added up.
        WeightsError: It is no classifier, or damaged.
    """
    classifier = Classifier.load(place)
    training = classifier.training
    return Verification(
        checks=(*training_checks(training), *_signed(classifier)),
        warnings=training.warnings,
        not_checked=OF_SITES if training.sites else NOT_CHECKED,
    )


def _signed(classifier: Classifier) -> tuple[Check, ...]:
    """By the vault of its cohort; there is none of several sites."""
    if classifier.training.sites:
        return ()
    key = classifier.training.key
    signed = classifier.is_signed
    return (
        Check(
            claim="signature by the key",
            claimed=key or None,
            found=key if signed else "that of another card, classifier or key",
            ok=signed,
        ),
    )


@following("the card of the classifier")
def training_checks(training: PrivateTraining) -> list[Check]:
    """What a card claims, beside what follows from recipe and noise, or from its sites.

    Raises:
        InputError: There is no such method, or the releases cannot be added up.
    """
    if training.sites:
        return joined_checks(training, _of_cohort)
    return _of_cohort(training)


def _of_cohort(training: PrivateTraining) -> list[Check]:
    recipe, stated = training.recipe, training.guarantee
    method = method_of(recipe)
    planned = method.plan(recipe)
    follows = guarantee_of_recipe(recipe, training.releases, secure=True)
    checks = [
        same("tool and model", [training.tool, training.model], [TOOL, MODEL]),
        equal(
            "releases and their noise",
            [to_json(each) for each in training.releases],
            [to_json(each) for each in planned],
            CALIBRATION,
        ),
    ]
    for name in ("replace_one", "add_remove"):
        claimed, derived = getattr(stated, name), getattr(follows, name)
        checks.append(
            equal(
                f"bound of a patient, {derived.relation}",
                to_json(claimed),
                to_json(derived),
                CALIBRATION,
            )
        )
    warnings = warnings_of_training(follows, faint=False)
    return [
        *checks,
        equal("charged to each patient", stated.charged, follows.charged, CALIBRATION),
        at_most("epsilon that was asked for", stated.charged, recipe.epsilon),
        same("noise from a secure source", stated.private, True),
        same("numerics", stated.numerics, follows.numerics),
        same("statement", stated.statement, follows.statement),
        same("not covered", stated.not_covered, follows.not_covered),
        same("warnings", [w for w in training.warnings if w != LOST], list(warnings)),
    ]
