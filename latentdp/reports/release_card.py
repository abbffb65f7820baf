"""The release card: what a third party needs to judge a release, and nothing that links it back.

``release.json`` lies beside the images and is public. It holds no old identifier, path or date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from msgspec import UNSET, Struct, UnsetType, structs

from latentdp.core.documents import JsonValue, from_json, read_json, to_json
from latentdp.core.filesystem import write_json
from latentdp.data.dicom.profile import Claim
from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.plan_description import PlanDescription
from latentdp.reports.card_guarantee import CardGuarantee
from latentdp.reports.layout import Layout
from latentdp.reports.release_card_parts import (
    CardCounts,
    CardImage,
    CardRecipe,
    CardWeights,
    EvaluationSummary,
)
from latentdp.reports.warning_words import none_of

__all__ = ["CARD", "IMAGES", "ReleaseCard", "add_evaluation", "release_id"]

CARD = "release.json"
IMAGES = "images"
TOOL = "latentdp"


class ReleaseCard(Struct, frozen=True, kw_only=True):
    """All that is said of a release in public.

    Where something is unprotected it is not private, whatever an older version wrote.

    Attributes:
        tool: ``latentdp``.
        version: Of the program.
        use: What the images are, and are not for; empty on a card of 0.1.
        status: ``complete``, or ``incomplete`` while a run writes.
        private: False where nothing is guaranteed: something is unprotected, or the noise came
            from a seed.
        warnings: What a reader must not overlook.
        guarantee: What is guaranteed.
        recipe: What was to be done.
        plan: With which parameters.
        weights: Of the flow.
        image: The form of the images.
        header: What each attribute of an output holds, by keyword.
        claims: About the pixels.
        counts: Of images.
        layout: How they lie.
        release: Random identifier, by which the vault knows where its images lie.
        contents_sha256: Digest of all files that the card is about; empty on a card of 0.1.
        splits: Percentages of patients to train, validate and test with; empty where there is no
            table that says who.
        vault: The vault's public tag.
        compliance: SHA-256 of the last entry of ``compliance.json``, in hexadecimal; empty on a
            card of 0.1.
        evaluation: What an evaluation found.
    """

    tool: Literal["latentdp"]
    version: str
    use: str = ""
    status: str
    private: bool
    warnings: tuple[str, ...]
    guarantee: CardGuarantee
    recipe: CardRecipe
    plan: PlanDescription
    weights: CardWeights
    image: CardImage
    header: Mapping[str, str]
    claims: tuple[Claim, ...]
    counts: CardCounts
    layout: Layout = Layout.FLAT
    release: str = ""
    contents_sha256: str = ""
    splits: tuple[int, ...] = ()
    vault: str
    compliance: str = ""
    evaluation: EvaluationSummary | UnsetType = UNSET

    def __post_init__(self) -> None:
        if not self.guarantee.unprotected:
            return
        structs.force_setattr(self, "private", False)
        warning = none_of(Guarantee(epsilon=0.0).beside(*self.guarantee.unprotected))
        if warning not in self.warnings:
            structs.force_setattr(self, "warnings", (warning, *self.warnings))

    def to_json(self) -> dict[str, JsonValue]:
        """JSON values, in the order of ``release.json``."""
        return to_json(self)  # type: ignore[no-any-return]

    @classmethod
    def from_json(cls, values: object) -> Self:
        """The inverse of `to_json`.

        Raises:
            InputError: A part is missing or of another type, or it is no card of this tool.
        """
        return from_json(values, cls, "the release card")

    @classmethod
    def find(cls, out: Path) -> Self | None:
        """The card of a release folder; None if it has none of this tool that can be read.

        Raises:
            InputError: It has one that is incomplete or of another version.
        """
        values = _values(out)
        return None if values is None else cls.from_json(values)


class _Named(Struct, frozen=True):
    """What is read of a card to find what belongs to it, whatever else it lacks."""

    release: str | None = None


def release_id(out: Path) -> str | None:
    """The identifier of the release in a folder, None if its card tells none."""
    try:
        named = from_json(_values(out) or {}, _Named, "the release card").release
    except InputError:
        return None
    return named if named is not None and re.fullmatch(r"[0-9a-f]{16}", named) else None


def add_evaluation(out: Path, summary: EvaluationSummary) -> None:
    """Writes a summary onto the card of a release; all else on it stays as it is.

    Raises:
        InputError: The folder has no card.
    """
    values = _values(out)
    if values is None:
        raise InputError(f"expected a folder with a {CARD} of {TOOL}; there is none")
    write_json(out / CARD, values | {"evaluation": to_json(summary)})


def _values(out: Path) -> dict[str, JsonValue] | None:
    """The JSON of a card of this tool."""
    try:
        values = read_json(out / CARD, "a release card")
    except InputError:
        return None
    return values if isinstance(values, dict) and values.get("tool") == TOOL else None
