"""What a guarantee means, in the words of a card, a header and a page."""

from __future__ import annotations

import math

from latentdp.privacy.guarantee import Guarantee, Unit
from latentdp.privacy.rounding import at_most, printed
from latentdp.reports.layout import MIRROR_WARNING, Layout

__all__ = [
    "EARLIER",
    "GALLERY",
    "NOT_COVERED",
    "PATIENT_RULE",
    "ceilings",
    "none_of",
    "sentences",
    "statement",
    "warnings",
]

PATIENT_RULE = (
    "sum over the images of a patient, earlier releases from the same vault included; infinity "
    "where anything is released exactly"
)
EARLIER = "an earlier release of a patient, something of which was released exactly"
_WHOSE = {Unit.IMAGE: "an image", Unit.PATIENT: "a patient"}
GALLERY = 30_805  # number of patients in ChestX-ray14, for the ceiling on naming the source

NOT_COVERED = (
    "that several images show one patient, where a file names none (all pictures): each "
    "different file then counts as a patient of its own",
    "that two IDs are one patient: the same Patient ID with an issuer in one file and without one "
    "in another counts as two patients",
    "people in the weights' training set, whom the weights may have memorised",
    "the number of files, and how many and which of them share a pseudonymous patient, study or "
    "series, also across releases from one vault: an input that is refused, or shows the same "
    "picture as another one, has no file",
    "that a picture was released before from this vault: the largest epsilon of a patient adds "
    "up, and so tells it to whoever hands in the same picture again",
    "the kind of each file (CR, DX, SC or picture) and its marks for burned-in text and lossy "
    "compression, which follow the source",
    "what a reader of this computer's memory, timing or disk could learn during the run",
)


def sentences(image: Guarantee, patient: Guarantee) -> list[str]:
    """All that is said of a guarantee: of an image, of the patient with most, what both bound."""
    return [*statement(image, patient), *ceilings(image, patient)]


def statement(image: Guarantee, patient: Guarantee | None = None) -> list[str]:
    """A guarantee in words, of an image and of a patient.

    Args:
        image: Of an image.
        patient: Of the patient of whom most was released; None to speak of images alone.
    """
    lines = _statement(image)
    if patient is None:
        return lines
    return lines + (_statement(patient)[-1:] if image.reason else _statement(patient))


def _statement(guarantee: Guarantee) -> list[str]:
    """One line, or two if anything is unprotected."""
    two = "images" if guarantee.unit is Unit.IMAGE else "patients, with all their images,"
    if not guarantee.reason:
        return [f"Any two {two} are indistinguishable up to {guarantee}."]
    whole = f"NO GUARANTEE of a whole {guarantee.unit}: epsilon infinity, {guarantee.reason}."
    noised = guarantee.noised_part
    if noised.reason:
        return [whole]
    return [
        whole,
        f"The noised part alone: any two {two} that agree in what is unprotected are "
        f"indistinguishable by it up to {noised}.",
    ]


def ceilings(image: Guarantee, patient: Guarantee) -> list[str]:
    """What the guarantees of an image and of a patient bound, for any attacker."""
    if image.reason:
        return ["There is no bound on re-identification: what is unprotected may identify alone."]
    apart = [at_most(g.verification_ceiling(), 4) for g in (image, patient)]
    first = [at_most(100 * g.gallery_ceiling(GALLERY), 2) for g in (image, patient)]
    return [
        f"Telling two images' releases apart: AUC at most {apart[0]}; those of two patients, all "
        f"images joined by their pseudonyms: at most {apart[1]}.",
        f"Naming the source among {GALLERY:,} images: at most {first[0]} %; the patient among as "
        f"many, all images joined: at most {first[1]} %.",
    ]


def warnings(image: Guarantee, patient: Guarantee, layout: Layout = Layout.FLAT) -> list[str]:
    """What a reader must not overlook; empty if there is nothing of the kind.

    Args:
        image: The guarantee of an image, with what the layout passes on.
        patient: That of the patient of whom most was released.
        layout: How images lie.
    """
    lines = [MIRROR_WARNING] if layout == Layout.MIRROR else []
    if image.reason or patient.reason:
        lines.append(none_of(image if image.reason else patient))
    if not image.secure:
        lines.append("NOT PRIVATE: the noise came from a seed")
    if not image.reason:
        lines += _weak(image, image if patient.reason else patient)
    if not image.exact:
        lines.append(
            "IDEALISED NUMERICS: the guarantee is proved for real numbers, and this mechanism "
            "computes with floating-point ones"
        )
    return lines


def none_of(guarantee: Guarantee) -> str:
    """The warning that there is no guarantee, and why."""
    return f"NO GUARANTEE of {_WHOSE[guarantee.unit]}: epsilon is infinity, {guarantee.reason}"


def _weak(image: Guarantee, patient: Guarantee) -> list[str]:
    """Of an image, or else of a patient: below the limit a search of a gallery mostly fails."""
    limit = f"is above ln {GALLERY:,} = {math.log(GALLERY):.1f}"
    if image.epsilon > math.log(GALLERY):
        return [
            f"WEAK: epsilon {printed(image.epsilon)} {limit}; nothing formal protects a source "
            "from being found in a gallery of that size"
        ]
    if patient.epsilon > math.log(GALLERY):
        return [
            f"WEAK FOR A PATIENT: epsilon {printed(patient.epsilon)} of all images of one, joined "
            f"by pseudonym, {limit}; nothing formal protects a patient from being found among "
            "that many"
        ]
    return []
