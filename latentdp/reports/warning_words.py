"""What a reader of a guarantee must not overlook."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import UNSET

from latentdp.privacy.guarantee import Guarantee, Unit
from latentdp.privacy.patient_budget import UNBOUNDED, PatientBudget
from latentdp.privacy.plan_description import PlanDescription
from latentdp.reports.guarantee_words import GALLERY, SEEDED, reason_of
from latentdp.reports.language import ENGLISH, Language
from latentdp.reports.layout import MIRROR_WARNING, Layout

__all__ = ["from_outside", "none_of", "warnings"]


def warnings(
    image: Guarantee,
    patient: Guarantee,
    layout: Layout = Layout.FLAT,
    more: Sequence[str] = (),
    language: Language = ENGLISH,
    *,
    budget: PatientBudget = UNBOUNDED,
) -> list[str]:
    """What a reader must not overlook; empty if there is nothing of the kind.

    Args:
        image: The guarantee of an image, with what the layout passes on.
        patient: That of the patient of whom most was released.
        layout: How images lie.
        more: Of the mechanism and the weights, as `latentdp.Privatizer.warnings` has it.
        language: Of the words.
        budget: Most that all releases of a patient may be.
    """
    lines = [language.say(MIRROR_WARNING)] if layout == Layout.MIRROR else []
    if image.reason or patient.reason:
        lines.append(none_of(image if image.reason else patient, language))
    if not image.secure:
        lines.append(language.say(SEEDED))
    if not image.reason:
        lines += _weak(image, image if patient.reason else patient, language)
    spent = patient.noised_part.epsilon
    if budget.epsilon is not None and spent > budget.epsilon:
        lines.append(
            language.say(
                "OVER A PATIENT'S BUDGET: this release kept to epsilon %(budget)s per patient; "
                "others of the same vault did not, and one has spent %(spent)s in all",
                budget=language.nats(budget.epsilon),
                spent=language.nats(spent),
            )
        )
    if not image.exact:
        lines.append(
            language.say(
                "IDEALISED NUMERICS: the guarantee is proved for real numbers, and this mechanism "
                "computes with floating-point ones"
            )
        )
    return [*lines, *more]


def from_outside(plan: PlanDescription) -> list[str]:
    """The warnings of mechanisms that another package brought."""
    return [
        f"MECHANISM FROM OUTSIDE: {block.mechanism} is a plug-in of the package {block.provider}; "
        "its guarantee is its authors', and was not proved or audited with latentdp"
        for block in plan.blocks
        if block.provider is not UNSET
    ]


def none_of(guarantee: Guarantee, language: Language = ENGLISH) -> str:
    """The warning that there is no guarantee, and why."""
    reason = reason_of(guarantee, language)
    if guarantee.unit is Unit.IMAGE:
        return language.say(
            "NO GUARANTEE of an image: epsilon is infinity, %(reason)s", reason=reason
        )
    return language.say(
        "NO GUARANTEE of a patient: epsilon is infinity, %(reason)s", reason=reason
    )


def _weak(image: Guarantee, patient: Guarantee, language: Language) -> list[str]:
    """Of an image, or else of a patient: below the limit a search of a gallery mostly fails."""
    limit = math.log(GALLERY)
    numbers = {"gallery": language.number(GALLERY), "limit": language.spelled(f"{limit:.1f}")}
    if image.epsilon > limit:
        return [
            language.say(
                "WEAK: epsilon %(epsilon)s is above ln %(gallery)s = %(limit)s; nothing formal "
                "protects a source from being found in a gallery of that size",
                epsilon=language.nats(image.epsilon),
                **numbers,
            )
        ]
    if patient.epsilon > limit:
        return [
            language.say(
                "WEAK FOR A PATIENT: epsilon %(epsilon)s of all images of one, joined by "
                "pseudonym, is above ln %(gallery)s = %(limit)s; nothing formal protects a "
                "patient from being found among that many",
                epsilon=language.nats(patient.epsilon),
                **numbers,
            )
        ]
    return []
