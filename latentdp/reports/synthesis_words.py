"""What the card and the page of a synthesis say in words."""

from __future__ import annotations

from latentdp.privacy.guarantee import Guarantee
from latentdp.reports.guarantee_words import in_words
from latentdp.reports.language import ENGLISH, Language, message

__all__ = [
    "AT_SEVERAL",
    "FAINT",
    "HEAD",
    "NOT_COVERED",
    "STATISTICS",
    "STEPS",
    "UNNAMED",
    "WEAK",
    "statement",
]

STATISTICS = message("sum of the patients' joint records")
STEPS = message("sum of the patients' answers in a round of the method")
HEAD = message("sum of the patients' clipped gradients of the head")

NOT_COVERED = (
    message("that two identifiers are one patient, or that one image stands under two patients"),
    message("patients of this cohort whom the public weights have seen in training"),
    message("that a statement about all patients like these may be true of one of them"),
    message(
        "what else was released of a patient, from this vault or another: all figures are of this "
        "synthesis alone"
    ),
    message("how many images there are here: any number is drawn from what was learnt"),
    message("what a reader of this computer's memory, timing or disk could learn during the run"),
)
AT_SEVERAL = message(
    "that a patient may be known at several of these sites: what each learnt of them adds up"
)
FAINT = message(
    "FAINT: the noisy number of patients is below ten times the deviation of its noise; at this "
    "epsilon the images show little of the cohort"
)
UNNAMED = message(
    "UNLABELLED: no finding had enough patients to be named; give a larger epsilon, or declare "
    "names that are public (--findings)"
)
WEAK = message("WEAK: epsilon is above 10; a patient's part in the cohort is hardly protected")


def statement(
    replace_one: Guarantee, add_remove: Guarantee, language: Language = ENGLISH
) -> tuple[str, ...]:
    """The guarantee in words.

    Args:
        replace_one: Of cohorts in which another patient stands in the place of one.
        add_remove: Of cohorts with a patient and without.
        language: Of the words.
    """
    return (
        language.say(
            "Whatever was learnt, images, labels and generator together: any two cohorts in which "
            "another patient with all of their images and findings stands in the place of one are "
            "indistinguishable up to %(epsilon)s.",
            epsilon=in_words(replace_one, language),
        ),
        language.say(
            "Two cohorts with a patient and without: up to %(epsilon)s.",
            epsilon=in_words(add_remove, language),
        ),
        language.say("Drawing more images costs nothing."),
    )
