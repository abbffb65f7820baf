"""The public page of a release: what its card says, for people, and some of its images.

It is made from the release folder alone, so anybody can make it again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from msgspec import UNSET, Struct, UnsetType

from latentdp.core.documents import to_json
from latentdp.core.filesystem import digest
from latentdp.errors import InputError
from latentdp.privacy.guarantee import above
from latentdp.reports.html import after, released_images, write_page
from latentdp.reports.release_card import CARD, ReleaseCard
from latentdp.reports.release_contents import PAGE

__all__ = ["write_release_page"]

SAMPLE = 24  # images on the page
NOTHING = ("NOT PRIVATE", "NO GUARANTEE")  # warnings that leave nothing to rely on
MEANING = {
    "constant": "the same in every file, or a statement of what was done",
    "pseudonym": "a keyed pseudonym of the source's value",
    "from the mechanism": "what the guarantee is about",
    "source value": "as in the source file",
}


def write_release_page(out: Path) -> Path:
    """Writes ``out / "release.html"`` from the card and the images beside it, and returns it.

    The images shown are the first by their random names: a sample that does not depend on the
    order, the names or the content of the inputs.

    Raises:
        InputError: The folder holds no card, or one of another version.
    """
    card = ReleaseCard.find(out)
    if card is None:
        raise InputError(f"expected a folder with a {CARD} of latentdp; there is none")
    bound = card.guarantee.image.epsilon
    images = released_images(out)
    shown = [uri for uri in map(after, images[:SAMPLE]) if uri]
    write_page(
        out / PAGE,
        "release.html.j2",
        card=card,
        banners=_banners(card, len(images)),
        odds=None if bound is None else _odds(bound),
        blocks=card.plan.blocks,
        recipe=_items(card.recipe, "digest", "weights_sha256"),
        measured=_items(card.evaluation, "date", "lines", "claims", "by", "sha256"),
        header=_header(card.header),
        images=shown,
        digest=digest(out / CARD),
        UNSET=UNSET,
    )
    return out / PAGE


def _banners(card: ReleaseCard, images: int) -> list[tuple[str, str]]:
    """What must be seen first: a level (``danger`` or ``caution``) and a text."""
    banners = []
    if card.status != "complete":
        banners.append(
            ("caution", "INCOMPLETE: the release was still being made when this was written")
        )
    for warning in card.warnings:
        banners.append(("danger" if warning.startswith(NOTHING) else "caution", warning))
    if card.evaluation is not UNSET:
        refuted = [line for line in card.evaluation.lines if line.startswith("REFUTED")]
        banners += [("danger", line) for line in refuted]
        for claim in card.evaluation.claims:
            if not claim.holds:
                banners.append(
                    (
                        "caution",
                        f"NOT SUPPORTED: {claim.claim} (threshold {claim.threshold}, measured "
                        f"{claim.measured})",
                    )
                )
    stated = card.counts.images_in_release
    if images != stated:
        banners.append(
            ("danger", f"MISMATCH: the card counts {stated:,} images, the folder holds {images:,}")
        )
    return banners


def _items(part: Struct | UnsetType, *but: str) -> list[tuple[str, object]]:
    """Names and values of a part of the card, less some."""
    if isinstance(part, UnsetType):
        return []
    return [(name, value) for name, value in to_json(part).items() if name not in but]


def _odds(epsilon: float) -> str:
    """exp(epsilon), rounded up: how many times likelier one source may become than another."""
    if epsilon < math.log(1e6):
        factor = above(math.exp(epsilon))
        return f"{math.ceil(factor):,}" if factor > 10 else f"{math.ceil(factor * 100) / 100:.2f}"
    return f"10^{math.ceil(above(epsilon / math.log(10))):,}"


def _header(header: Mapping[str, str]) -> list[tuple[str, str, list[str]]]:
    """The attributes by what they hold, in the order of the card, with what that means."""
    grouped: dict[str, list[str]] = {}
    for keyword, holds in header.items():
        grouped.setdefault(holds, []).append(keyword)
    return [(holds, MEANING.get(holds, ""), keywords) for holds, keywords in grouped.items()]
