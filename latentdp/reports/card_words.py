"""The sentences of a card in the language of a page.

A card is English, and its sentences follow from its numbers. So they are made once more, in
English and in the page's language, and each is looked up among them. What is not found there (of
another version, or altered) is shown as it stands on the card.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from markupsafe import Markup, escape

from latentdp.privacy.guarantee import Guarantee, Relation, Unit
from latentdp.privacy.rounding import EXACTLY
from latentdp.reports.guarantee_words import EARLIER, exactly_released, sentences
from latentdp.reports.language import ENGLISH, Language
from latentdp.reports.release_card import ReleaseCard
from latentdp.reports.warning_words import warnings

__all__ = ["Translate", "as_it_stands", "image_of", "patient_of", "words_of"]

Translate = Callable[[str], str]
_ENGLISH = (ENGLISH, replace(ENGLISH, digits=EXACTLY))  # of today, and of cards of 0.1


def image_of(card: ReleaseCard) -> Guarantee:
    """The guarantee of an image that a card states.

    Raises:
        InputError: Its numbers are those of none.
    """
    stated = card.guarantee.image
    noised = stated.epsilon_of_noised_part if stated.epsilon is None else stated.epsilon
    return Guarantee(
        epsilon=noised if isinstance(noised, float) else math.inf,
        delta=stated.delta,
        secure=card.guarantee.image.secure is True,
        exact=stated.numerics == "exact",
    ).beside(*card.guarantee.unprotected)


def patient_of(card: ReleaseCard) -> Guarantee:
    """The same of the patient of whom most is released."""
    stated, unprotected = card.guarantee.patient, card.guarantee.unprotected
    noised = stated.epsilon_of_noised_part if stated.epsilon is None else stated.epsilon
    known = isinstance(noised, float)
    earlier = (EARLIER,) if stated.epsilon is None and known and not unprotected else ()
    return replace(
        image_of(card).noised_part,
        epsilon=noised if isinstance(noised, float) else math.inf,
        delta=stated.delta,
        unit=Unit.PATIENT,
        relation=Relation.REPLACE_ONE,
    ).beside(*unprotected, *earlier)


def words_of(card: ReleaseCard, language: Language) -> Translate:
    """What a sentence of a card is in a language.

    Raises:
        InputError: The card's numbers are those of no guarantee.
    """
    image, patient = image_of(card), patient_of(card)

    def lines(of: Language) -> list[str]:
        budget = card.recipe.patient_budget
        cautions = warnings(image, patient, card.layout, language=of, budget=budget)
        said = [*sentences(image, patient, of), *cautions]
        return said + [exactly_released(line, of) for line in image.unprotected]

    ours = lines(language)
    known = {line: our for of in _ENGLISH for line, our in zip(lines(of), ours, strict=True)}
    return lambda line: known.get(line) or as_it_stands(line, language)


def as_it_stands(line: str, language: Language) -> str:
    """A fixed sentence in a language; one that has no translation is marked as English."""
    said = language.say(line)
    if language == ENGLISH or said != line:
        return said
    return Markup('<span lang="en">{}</span>').format(escape(line))
