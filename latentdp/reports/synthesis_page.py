"""The public page of a synthetic data set: what its card says, for people, and some images."""

from __future__ import annotations

import math
from pathlib import Path

from latentdp.core.filesystem import digest
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee, Relation, Unit
from latentdp.reports.card_words import Translate, as_it_stands
from latentdp.reports.compliance_actions import synthesis_manifest
from latentdp.reports.criteria import MOST_GUESSED, MOST_NAMED, criteria
from latentdp.reports.guarantee_words import GALLERY
from latentdp.reports.html import after, released_images, write_page
from latentdp.reports.language import ENGLISH, Language
from latentdp.reports.likelier import likelier
from latentdp.reports.release_card import CARD
from latentdp.reports.release_contents import PAGE
from latentdp.reports.synthesis_card import (
    NoisyRelease,
    PatientBound,
    Synthesis,
    SynthesisCard,
)
from latentdp.reports.synthesis_words import statement

__all__ = ["write_synthesis_page"]

SAMPLE = 24  # images on the page


def write_synthesis_page(out: Path, language: Language = ENGLISH) -> Path:
    """Writes ``out / "release.html"`` from the card and the images beside it, and returns it.

    Args:
        out: The folder of a synthesis.
        language: Of the page.

    Raises:
        InputError: The folder holds no card of a synthesis.
    """
    card = SynthesisCard.find(out)
    if card is None:
        raise InputError(f"expected a folder with the {CARD} of a synthesis; there is none")
    told = card.synthesis.guarantee
    patient = bound_of(told.replace_one, secure=told.private)
    other = bound_of(told.add_remove, secure=told.private)
    images = released_images(out)
    write_page(
        out / PAGE,
        "synthesis.html.j2",
        language=language,
        card=card,
        synthesis=card.synthesis,
        releases=_releases(card.synthesis),
        words=_words(patient, other, language),
        banners=_banners(card, len(images), language),
        whole=patient.private,
        weak=patient.epsilon > math.log(GALLERY),
        patient=patient,
        other=other,
        times=likelier(patient, language),
        gallery=GALLERY,
        criteria=criteria(patient, language, joined=False, refuted=card.refuted),
        most=(MOST_NAMED, MOST_GUESSED),
        manifest=synthesis_manifest(card),
        images=[uri for uri in map(after, images[:SAMPLE]) if uri],
        digest=digest(out / CARD),
    )
    return out / PAGE


def _releases(synthesis: Synthesis) -> list[tuple[str, NoisyRelease]]:
    """Everything that touched private data, with the name of the site if there are several."""
    own = [("", release) for release in synthesis.releases]
    for site in synthesis.sites:
        own += [(site.name, release) for release in site.synthesis.releases]
    return own


def bound_of(stated: PatientBound, *, secure: bool) -> Guarantee:
    """The guarantee that a card states of a patient.

    Raises:
        InputError: Its numbers are those of none.
    """
    return Guarantee(
        epsilon=stated.epsilon,
        delta=stated.delta,
        unit=Unit(stated.unit),
        relation=Relation(stated.relation),
        secure=secure,
    )


def _words(patient: Guarantee, other: Guarantee, language: Language) -> Translate:
    ours = statement(patient, other, language)
    known = dict(zip(statement(patient, other), ours, strict=True))
    return lambda line: known.get(line) or as_it_stands(line, language)


def _banners(card: SynthesisCard, images: int, language: Language) -> list[tuple[str, str]]:
    """What must be seen first: a level (``danger`` or ``caution``) and a text."""
    say, banners = language.say, []
    if card.refuted:
        banners.append(("danger", say("The bound was refuted by an evaluation.")))
    if card.status != "complete":
        banners.append(
            (
                "caution",
                say("INCOMPLETE: the release was still being made when this was written"),
            )
        )
    for warning in card.synthesis.warnings:
        level = "danger" if warning.startswith("NOT PRIVATE") else "caution"
        banners.append((level, as_it_stands(warning, language)))
    if images != card.images.count:
        banners.append(
            (
                "danger",
                say(
                    "MISMATCH: the card counts %(stated)s images, the folder holds %(held)s",
                    stated=language.number(card.images.count),
                    held=language.number(images),
                ),
            )
        )
    return banners
