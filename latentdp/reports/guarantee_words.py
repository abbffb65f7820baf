"""What a guarantee means, in the words of a card, a header and a page.

Cards and headers are English. A page in another language has the same sentences about the same
numbers.
"""

from __future__ import annotations

import re

from latentdp.data.dicom.profile import DATES
from latentdp.privacy.guarantee import Guarantee, Unit
from latentdp.reports.language import ENGLISH, Language, message
from latentdp.reports.likelier import likelier

__all__ = [
    "EARLIER",
    "EXACTLY_RELEASED",
    "GALLERY",
    "NOT_COVERED",
    "PATIENT_RULE",
    "SEEDED",
    "ceilings",
    "exactly_released",
    "in_words",
    "meaning",
    "not_covered",
    "reason_of",
    "sentences",
    "statement",
]

PATIENT_RULE = message(
    "sum over the images of a patient, earlier releases from the same vault included; infinity "
    "where anything is released exactly"
)
EARLIER = message("an earlier release of a patient, something of which was released exactly")
GALLERY = 30_805  # number of patients in ChestX-ray14, for the ceiling on naming the source

NOT_COVERED = (
    message(
        "that several images show one patient, where a file names none (all pictures): each "
        "different file then counts as a patient of its own"
    ),
    message(
        "that two IDs are one patient: the same Patient ID with an issuer in one file and without "
        "one in another counts as two patients"
    ),
    message("people in the weights' training set, whom the weights may have memorised"),
    message(
        "the number of files, and how many and which of them share a pseudonymous patient, study "
        "or series, also across releases from one vault: an input that is refused, or shows the "
        "same picture as another one, has no file"
    ),
    message(
        "that a picture was released before from this vault: the largest epsilon of a patient "
        "adds up, and so tells it to whoever hands in the same picture again"
    ),
    message(
        "the kind of each file (CR, DX, SC or picture) and its marks for burned-in text and lossy "
        "compression, which follow the source"
    ),
    message("what a reader of this computer's memory, timing or disk could learn during the run"),
)
REFUSED_ODD = message(
    "whether the weights find a picture odd: where such pictures are kept back, as here, whoever "
    "handed one in can see that it has no file"
)
SEEDED = message("NOT PRIVATE: the noise came from a seed")
RELATIONS = (message("replace-one"), message("add-remove"))

# As lower rooms say it, whose words are on cards.
EXACTLY_RELEASED = (
    message("the class label, released exactly"),
    message("the label: findings, and view, sex or age where it says them, released exactly"),
    message("whether there is a label"),
    message(
        "dates of study, series, acquisition and content, moved by one secret number of days "
        "per patient"
    ),
    message("the patient's sex, and age up to 90"),
    message("maker and product line of the device"),
    message("names of folders and files, which follow the source's (layout mirror)"),
)
_KEPT = re.compile(r"(\d+) of (\d+) latent dimensions, passed on without noise")


def not_covered(*, refuse_odd: bool) -> tuple[str, ...]:
    """What no guarantee of a release is about.

    Args:
        refuse_odd: Whether odd pictures are kept back, so that what is shown decides.
    """
    return (*NOT_COVERED, REFUSED_ODD) if refuse_odd else NOT_COVERED


def sentences(image: Guarantee, patient: Guarantee, language: Language = ENGLISH) -> list[str]:
    """All that is said of a guarantee: of the patient with most, of an image, what both bound."""
    lines = statement(image, patient, language)
    of_patient = len(_statement(patient, language))
    return [
        *lines[:of_patient],
        *meaning(patient, language),
        *lines[of_patient:],
        *ceilings(image, patient, language),
    ]


def statement(
    image: Guarantee, patient: Guarantee | None = None, language: Language = ENGLISH
) -> list[str]:
    """A guarantee in words, of a patient and of an image.

    Args:
        image: Of an image.
        patient: Of the patient of whom most was released; None to speak of images alone.
        language: Of the words.
    """
    lines = _statement(image, language)
    if patient is None:
        return lines
    return _statement(patient, language) + (lines[-1:] if image.reason else lines)


def meaning(patient: Guarantee, language: Language = ENGLISH) -> list[str]:
    """What e to the epsilon is to a patient; nothing where something is released exactly."""
    if patient.reason:
        return []
    times = likelier(patient, language)
    if patient.delta:
        return [
            language.say(
                "In words: whatever is released, it is at most %(times)s times as probable with "
                "this patient's images as with anybody else's in their place, but for a "
                "probability of at most %(delta)s.",
                times=times,
                delta=language.number(patient.delta),
            )
        ]
    return [
        language.say(
            "In words: whatever is released, it is at most %(times)s times as probable with this "
            "patient's images as with anybody else's in their place.",
            times=times,
        )
    ]


def _statement(guarantee: Guarantee, language: Language) -> list[str]:
    """One line, or two if anything is unprotected."""
    say, image = language.say, guarantee.unit is Unit.IMAGE
    if not guarantee.reason:
        words = in_words(guarantee, language)
        if image:
            return [say("Any two images are indistinguishable up to %(epsilon)s.", epsilon=words)]
        return [
            say(
                "Any two patients, with all their images, are indistinguishable up to "
                "%(epsilon)s.",
                epsilon=words,
            )
        ]
    reason = reason_of(guarantee, language)
    whole = (
        say("NO GUARANTEE of a whole image: epsilon infinity, %(reason)s.", reason=reason)
        if image
        else say("NO GUARANTEE of a whole patient: epsilon infinity, %(reason)s.", reason=reason)
    )
    noised = guarantee.noised_part
    if noised.reason:
        return [whole]
    words = in_words(noised, language)
    if image:
        alone = say(
            "The noised part alone: any two images that agree in what is unprotected are "
            "indistinguishable by it up to %(epsilon)s.",
            epsilon=words,
        )
    else:
        alone = say(
            "The noised part alone: any two patients, with all their images, that agree in what "
            "is unprotected are indistinguishable by it up to %(epsilon)s.",
            epsilon=words,
        )
    return [whole, alone]


def in_words(guarantee: Guarantee, language: Language = ENGLISH) -> str:
    """Epsilon, delta, unit and relation in a line; in English that of `Guarantee.words`."""
    if language.code == ENGLISH.code:
        return guarantee.words(language.digits)
    say = language.say
    parts = [say("epsilon %(epsilon)s", epsilon=language.nats(guarantee.epsilon))]
    if guarantee.delta:
        parts.append(say("delta %(delta)s", delta=language.number(guarantee.delta)))
    image = guarantee.unit is Unit.IMAGE
    relation = [say(str(guarantee.relation))]
    relation += [] if guarantee.exact else [say("idealised numerics")]
    whose = say("per image") if image else say("per patient")
    void = "" if guarantee.secure else f" \N{EN DASH} {say(SEEDED)}"
    return f"{', '.join(parts)} {whose} ({', '.join(relation)}){void}"


def reason_of(guarantee: Guarantee, language: Language = ENGLISH) -> str:
    """Why epsilon is infinity; in English that of `Guarantee.reason`."""
    if language.code == ENGLISH.code:
        return guarantee.reason
    if not guarantee.unprotected:
        return language.say("no bound is known")
    exactly = "; ".join(exactly_released(line, language) for line in guarantee.unprotected)
    return language.say("unprotected: %(what)s", what=exactly)


def ceilings(image: Guarantee, patient: Guarantee, language: Language = ENGLISH) -> list[str]:
    """What the guarantees of an image and of a patient bound, for any attacker.

    Where dates are all that is released exactly, what is left apart from them is bounded, too, and
    called that; where anything else is, nothing is said to be.
    """
    if not image.reason:
        return _ceilings(image, patient, language)
    lines = [
        language.say(
            "There is no bound on re-identification: what is unprotected may identify alone."
        )
    ]
    unprotected = image.unprotected
    image, patient = image.noised_part, patient.noised_part
    if unprotected == (DATES,) and not (image.reason or patient.reason):
        lines += [
            language.say(
                "Apart from the dates, among sources that agree in them: %(what)s", what=line
            )
            for line in _ceilings(image, patient, language)
        ]
    return lines


def _ceilings(image: Guarantee, patient: Guarantee, language: Language) -> list[str]:
    both = (image, patient)
    apart = [language.at_most(g.verification_ceiling(), 4) for g in both]
    first = [language.at_most(100 * g.gallery_ceiling(GALLERY), 2) for g in both]
    return [
        language.say(
            "Telling two images' releases apart: AUC at most %(image)s; those of two patients, "
            "all images joined by their pseudonyms: at most %(patient)s.",
            image=apart[0],
            patient=apart[1],
        ),
        language.say(
            "Naming the source among %(gallery)s images: at most %(image)s %%; the patient among "
            "as many, all images joined: at most %(patient)s %%.",
            gallery=language.number(GALLERY),
            image=first[0],
            patient=first[1],
        ),
    ]


def exactly_released(line: str, language: Language) -> str:
    """What is released exactly, as a card says it, in another language where that is known."""
    kept = _KEPT.fullmatch(line)
    if kept is None:
        return language.say(line)
    counts = {"kept": language.number(int(kept[1])), "all": language.number(int(kept[2]))}
    return language.say("%(kept)s of %(all)s latent dimensions, passed on without noise", **counts)
