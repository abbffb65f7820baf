"""The public page of a release: what its card says, for people, and some of its images.

It is made from the release folder alone, so anybody can make it again, in any of its languages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from markupsafe import Markup
from msgspec import UNSET, Struct, UnsetType

from latentdp.core.documents import to_json
from latentdp.core.filesystem import digest
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.reports.card_words import Translate, image_of, patient_of, words_of
from latentdp.reports.compliance_actions import release_manifest
from latentdp.reports.criteria import MOST_GUESSED, MOST_NAMED, criteria
from latentdp.reports.evaluation_words import evaluated
from latentdp.reports.guarantee_words import GALLERY
from latentdp.reports.html import after, released_images, write_page
from latentdp.reports.language import ENGLISH, LANGUAGES, Language, message
from latentdp.reports.likelier import likelier
from latentdp.reports.release_card import CARD, ReleaseCard
from latentdp.reports.release_contents import PAGE, settle
from latentdp.reports.synthesis_card import SynthesisCard
from latentdp.reports.synthesis_page import write_synthesis_page

__all__ = ["language_of", "write_public_page", "write_release_page"]

SAMPLE = 24  # images on the page
NOTHING = ("NOT PRIVATE", "NO GUARANTEE")  # warnings that leave nothing to rely on
MEANING = {
    message("constant"): message("the same in every file, or a statement of what was done"),
    message("pseudonym"): message("a keyed pseudonym of the source's value"),
    message("from the mechanism"): message("what the guarantee is about"),
    message("source value"): message("as in the source file"),
    message("source value, cleaned"): message("as in the source file, if it is a known value"),
    message("source value, shifted"): message("as in the source file, moved by secret days"),
}
WHAT_HAPPENS = {
    "resample": message("redrawn from the prior; nothing of the source remains"),
    "mechanism": message("noised by the mechanism"),
    "keep": message("kept, unprotected"),
}
LABEL = {
    "none": message("not used and not released"),
    "public": message("released exactly, unprotected"),
    "response": message("randomised response"),
}
NUMERICS = {
    "exact": message("integers and exact sampling"),
    "idealised": message("floating point, without a proof"),
}
NAMES = (message("exact"), message("idealised"))
_WRITTEN_IN = re.compile(r'<html lang="([a-z]{2})">')


def write_public_page(out: Path, language: str | None = None) -> Path:
    """Writes the page of a release or of a synthesis, whichever lies in ``out``.

    Args:
        out: The folder.
        language: As for `write_release_page`.

    Raises:
        InputError: The folder holds no card, or there is no such language.
    """
    if SynthesisCard.find(out) is not None:
        return write_synthesis_page(out, language_of(out, language))
    return write_release_page(out, language)


def write_release_page(out: Path, language: str | None = None) -> Path:
    """Writes ``out / "release.html"`` from the card and the images beside it, and returns it.

    The images shown are the first by their random names: a sample that does not depend on the
    order, the names or the content of the inputs.

    Args:
        out: The release folder.
        language: One of `latentdp.reports.language.LANGUAGES`; None for that of the page that is
            there, or English.

    Raises:
        InputError: The folder holds no card, or one of another version; or there is no such
            language.
    """
    spoken = language_of(out, language)
    card = ReleaseCard.find(out)
    if card is None:
        raise InputError(f"expected a folder with a {CARD} of latentdp; there is none")
    image, patient = image_of(card), _believed(card)
    images, words = released_images(out), words_of(card, spoken)
    shown = [uri for uri in map(after, images[:SAMPLE]) if uri]
    evaluation = card.evaluation
    write_page(
        out / PAGE,
        "release.html.j2",
        language=spoken,
        card=card,
        words=words,
        evaluated=partial(evaluated, language=spoken),
        banners=_banners(card, len(images), words, spoken),
        whole=card.private and patient.private,
        secure=image.secure,
        weak=patient.epsilon > math.log(GALLERY),
        odds=likelier(image, spoken),
        times=likelier(patient, spoken),
        gallery=GALLERY,
        criteria=criteria(
            patient,
            spoken,
            joined=True,
            claims=() if evaluation is UNSET else evaluation.claims,
            inferred="" if evaluation is UNSET else evaluation.inferred,
            refuted=_refuted(card),
        ),
        most=(MOST_NAMED, MOST_GUESSED),
        manifest=release_manifest(card),
        blocks=card.plan.blocks,
        recipe=_recipe(card),
        happens=WHAT_HAPPENS,
        label=LABEL,
        numerics=NUMERICS,
        measured=_items(card.evaluation, "date", "lines", "claims", "inferred", "by", "sha256"),
        header=_header(card.header),
        images=shown,
        digest=digest(out / CARD),
        UNSET=UNSET,
    )
    settle(out)
    return out / PAGE


def language_of(out: Path, language: str | None = None) -> Language:
    """The language that is asked for, or that of the page which is there, or English.

    Raises:
        InputError: There is no such language.
    """
    if language is not None:
        return Language(language)
    try:
        written = _WRITTEN_IN.search((out / PAGE).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ENGLISH
    return Language(written[1]) if written is not None and written[1] in LANGUAGES else ENGLISH


def _believed(card: ReleaseCard) -> Guarantee:
    """The patient's guarantee; one that the card itself does not believe is none."""
    patient = patient_of(card)
    return patient if card.private else replace(patient, secure=False)


def _refuted(card: ReleaseCard) -> bool:
    evaluation = card.evaluation
    return evaluation is not UNSET and any(x.startswith("REFUTED") for x in evaluation.lines)


def _plain(claim: str, language: Language) -> str:
    """A claim in a language, for a text that is escaped when it is shown."""
    said = evaluated(claim, language)
    return said.striptags() if isinstance(said, Markup) else said


def _banners(
    card: ReleaseCard, images: int, words: Translate, language: Language
) -> list[tuple[str, str]]:
    """What must be seen first: a level (``danger`` or ``caution``) and a text."""
    say, banners = language.say, []
    if card.status != "complete":
        banners.append(
            (
                "caution",
                say("INCOMPLETE: the release was still being made when this was written"),
            )
        )
    for warning in card.warnings:
        level = "danger" if warning.startswith(NOTHING) else "caution"
        banners.append((level, words(warning)))
    if card.evaluation is not UNSET:
        refuted = [line for line in card.evaluation.lines if line.startswith("REFUTED")]
        banners += [("danger", evaluated(line, language)) for line in refuted]
        for claim in card.evaluation.claims:
            if not claim.holds:
                banners.append(
                    (
                        "caution",
                        say(
                            "NOT SUPPORTED: %(claim)s. Below stand the threshold, and what was "
                            "measured.",
                            claim=_plain(claim.claim, language),
                        ),
                    )
                )
    stated = card.counts.images_in_release
    if images != stated:
        banners.append(
            (
                "danger",
                say(
                    "MISMATCH: the card counts %(stated)s images, the folder holds %(held)s",
                    stated=language.number(stated),
                    held=language.number(images),
                ),
            )
        )
    return banners


def _items(part: Struct | UnsetType, *but: str) -> list[tuple[str, object]]:
    """Names and values of a part of the card, less some."""
    if isinstance(part, UnsetType):
        return []
    return [(name, value) for name, value in to_json(part).items() if name not in but]


def _recipe(card: ReleaseCard) -> list[tuple[str, object]]:
    """What the recipe states besides digests; of labels nothing where none are released."""
    of_labels = ("label_share", "unlabelled") if card.recipe.label == LabelRelease.NONE else ()
    return _items(card.recipe, "digest", "weights_sha256", *of_labels)


def _header(header: Mapping[str, str]) -> list[tuple[str, str, list[str]]]:
    """The attributes by what they hold, in the order of the card, with what that means."""
    grouped: dict[str, list[str]] = {}
    for keyword, holds in header.items():
        grouped.setdefault(holds, []).append(keyword)
    return [(holds, MEANING.get(holds, ""), keywords) for holds, keywords in grouped.items()]
