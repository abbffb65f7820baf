"""Whether the guarantee, in numbers and words, is what follows from the plan."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

from msgspec import UNSET

from latentdp.core.documents import to_json
from latentdp.privacy.guarantee import Guarantee, Unit
from latentdp.privacy.mechanisms.base import number
from latentdp.privacy.plan import Plan
from latentdp.recipe import Recipe
from latentdp.release.verification.check import CALIBRATION, Check, at_least, equal, is_number
from latentdp.release.verification.claimed_card import (
    ClaimedCard,
    ClaimedGuarantee,
    ClaimedPatient,
)
from latentdp.reports.card_guarantee import (
    ApproximateGuarantee,
    ImageGuarantee,
    PatientGuarantee,
)
from latentdp.reports.guarantee_words import EARLIER, NOT_COVERED, sentences, warnings

__all__ = ["guarantee_checks"]

LARGEST = sys.float_info.max  # an integer of JSON may be larger


def guarantee_checks(card: ClaimedCard, plan: Plan, recipe: Recipe) -> list[Check]:
    """Of an image and of a patient, with noise that is said to be from a secure source.

    Args:
        card: Whose claims are judged.
        plan: What the guarantee follows from.
        recipe: Says what is passed on besides.
    """
    claimed, passed_on = card.guarantee, recipe.unprotected + card.layout.unprotected
    image = plan.guarantee.beside(*passed_on)
    patient = _claimed_patient(claimed.patient, image)
    return [
        *_image(claimed, image, plan.approximate().beside(*passed_on)),
        *_patient(claimed.patient, image, patient),
        equal("private", card.private, image.private),
        equal("unprotected", claimed.unprotected, list(image.unprotected)),
        equal("statement", claimed.statement, sentences(image, patient)),
        equal("not covered", claimed.not_covered, list(NOT_COVERED)),
        equal("warnings", card.warnings, warnings(image, patient, card.layout)),
    ]


def _image(claimed: ClaimedGuarantee, image: Guarantee, loose: Guarantee) -> list[Check]:
    stated = to_json(ImageGuarantee.of(image))
    claims = {
        "epsilon of an image": "epsilon",
        "why it is infinity": "reason",
        "epsilon of the noised part": "epsilon_of_noised_part",
        "delta of an image": "delta",
        "unit": "unit",
        "relation": "relation",
        "numerics": "numerics",
        "noise from a secure source": "secure",
        "an image is private": "private",
        "largest AUC of a verifier": "verification_auc_at_most",
        "largest top-1 rate in a gallery": "top1_at_most",
    }
    return [
        *(
            equal(claim, getattr(claimed.image, name), stated.get(name))
            for claim, name in claims.items()
        ),
        equal(
            "the same as epsilon, delta",
            claimed.image_approximate,
            to_json(ApproximateGuarantee.of(loose)),
            CALIBRATION,
        ),
    ]


def _claimed_patient(claimed: ClaimedPatient, image: Guarantee) -> Guarantee:
    """A sum over images, which only the ledger knows; what is no such number is infinity.

    It alone knows of earlier releases that bound nothing, too: who claims one claims less.
    """
    noised_part_alone = claimed.epsilon is None and is_number(claimed.epsilon_of_noised_part)
    exactly = image.unprotected or ((EARLIER,) if noised_part_alone else ())
    epsilon = claimed.epsilon_of_noised_part if exactly else claimed.epsilon
    noised = replace(
        image.noised_part,
        unit=Unit.PATIENT,
        epsilon=epsilon if is_number(epsilon) and 0 <= epsilon <= LARGEST else math.inf,
        delta=claimed.delta if is_number(claimed.delta) and 0 <= claimed.delta <= 1 else 1.0,
    )
    return noised.beside(*exactly)


def _patient(claimed: ClaimedPatient, image: Guarantee, patient: Guarantee) -> list[Check]:
    """What follows from the sum. Other releases may be in it, so a lower bound of it is known."""
    here = max(1, number(claimed.images_in_this_release, "int"))
    noised, part = patient.noised_part.epsilon, "'s noised part" if image.unprotected else ""
    stated = PatientGuarantee.of(
        patient, images=claimed.images, images_in_this_release=claimed.images_in_this_release
    )
    follows = [stated.epsilon, None if stated.reason is UNSET else stated.reason]
    bounds = [stated.verification_auc_at_most, to_json(stated.top1_at_most)]
    return [
        equal("rule of a patient", [claimed.unit, claimed.rule], [stated.unit, stated.rule]),
        at_least(
            f"epsilon of a patient{part}",
            noised if math.isfinite(noised) else None,
            here * image.noised_part.epsilon,
        ),
        equal("epsilon of a patient as a whole", [claimed.epsilon, claimed.reason], follows),
        equal(
            "ceilings of a patient",
            [claimed.verification_auc_at_most, claimed.top1_at_most],
            bounds,
        ),
        at_least("delta of a patient", claimed.delta, here * image.delta),
        at_least("images of a patient", claimed.images, claimed.images_in_this_release),
    ]
