"""Whether the guarantee, in numbers and words, is what follows from the plan."""

from __future__ import annotations

import math
import sys
from dataclasses import replace

from msgspec import UNSET

from latentdp.core.documents import to_json
from latentdp.privacy.guarantee import Guarantee, Unit
from latentdp.privacy.mechanisms.base import number
from latentdp.privacy.patient_budget import UNBOUNDED
from latentdp.privacy.plan import Plan
from latentdp.privacy.rounding import EXACTLY
from latentdp.recipe import Recipe
from latentdp.release.verification.check import (
    CALIBRATION,
    Check,
    at_least,
    equal,
    is_number,
    one_of,
)
from latentdp.release.verification.claimed_card import (
    ClaimedCard,
    ClaimedGuarantee,
    ClaimedPatient,
    ClaimedPlan,
)
from latentdp.reports.card_guarantee import (
    ApproximateGuarantee,
    ImageGuarantee,
    PatientGuarantee,
)
from latentdp.reports.guarantee_words import EARLIER, not_covered, sentences
from latentdp.reports.language import ENGLISH
from latentdp.reports.warning_words import from_outside, warnings

__all__ = ["guarantee_checks"]

LARGEST = sys.float_info.max  # an integer of JSON may be larger
LONGER = replace(ENGLISH, digits=EXACTLY)  # as cards spelled numbers until version 0.1


def guarantee_checks(
    card: ClaimedCard, described: ClaimedPlan, plan: Plan, recipe: Recipe
) -> list[Check]:
    """Of an image and of a patient, with noise that is said to be from a secure source.

    Args:
        card: Whose claims are judged.
        described: The plan as the card states it.
        plan: What the guarantee follows from.
        recipe: Says what is passed on besides.
    """
    claimed, passed_on = card.guarantee, recipe.unprotected + card.layout.unprotected
    image = plan.guarantee.beside(*passed_on)
    patient = _claimed_patient(claimed.patient, image)
    more = [*from_outside(described), *card.weights.caveats]
    budget = recipe.patient_budget
    return [
        *_image(claimed, image, plan.approximate().beside(*passed_on)),
        *_patient(claimed.patient, image, patient),
        *_budget(claimed.patient, recipe, image),
        equal("private", card.private, image.private),
        equal("unprotected", claimed.unprotected, list(image.unprotected)),
        one_of(
            "statement",
            claimed.statement,
            sentences(image, patient),
            sentences(image, patient, LONGER),
        ),
        equal(
            "not covered",
            claimed.not_covered,
            list(not_covered(refuse_odd=recipe.refuse_odd)),
        ),
        one_of(
            "warnings",
            card.warnings,
            warnings(image, patient, card.layout, more, budget=budget),
            warnings(image, patient, card.layout, more, LONGER, budget=budget),
        ),
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


def _budget(claimed: ClaimedPatient, recipe: Recipe, image: Guarantee) -> list[Check]:
    """What each patient may spend, and that what is claimed of one who spent it agrees."""
    budget, checks = recipe.patient_budget, []
    most = budget.most(image.noised_part)
    stated = claimed.epsilon if claimed.reason is None else claimed.epsilon_of_noised_part
    if budget.images is not None:
        here = number(claimed.images_in_this_release, "int")
        checks.append(at_least("images per patient, at most", budget.images, here))
        checks.append(
            at_least("images of a patient, by the budget", claimed.images, budget.images)
        )
    if budget.epsilon is not None and budget.images is not None:
        spent = budget.images * recipe.epsilon
        checks.append(at_least("epsilon per patient, at most", budget.epsilon, spent))
    if budget != UNBOUNDED:
        checks.append(at_least("epsilon of a patient, by the budget", stated, most.epsilon))
    return checks
