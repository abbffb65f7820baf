"""The release card: what a third party needs to judge a release, and nothing that links it back.

``release.json`` lies beside the images and is public. It holds no old identifier, path or date.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee
from latentdp.reports.layout import MIRROR_WARNING, Layout

if TYPE_CHECKING:
    pass
import re

__all__ = [
    "CARD",
    "GALLERY",
    "IMAGES",
    "NOT_COVERED",
    "PATIENT_RULE",
    "describe_guarantee",
    "read_card",
    "read_json",
    "release_id",
    "statement",
    "warnings",
]

PATIENT_RULE = (
    "sum over the images of a patient, earlier releases from the same vault included; what is "
    "unprotected is not counted"
)
GALLERY = 30_805  # number of patients in ChestX-ray14, for the ceiling on naming the source

NOT_COVERED = (
    "that several images show one patient, where a file names none (all pictures): each "
    "different file then counts as a patient of its own",
    "that two IDs are one patient: the same Patient ID with an issuer in one file and without one "
    "in another counts as two patients",
    "people in the weights' training set, whom the weights may have memorised",
    "how many images the release holds, how many inputs were refused, and which images share a "
    "pseudonymous patient, study or series, also across releases from one vault",
    "the kind of each file (CR, DX, SC or picture) and its marks for burned-in text and lossy "
    "compression, which follow the source",
    "what a reader of this computer's memory, timing or disk could learn during the run",
)


def describe_guarantee(guarantee: Guarantee, unprotected: Sequence[str]) -> dict[str, Any]:
    """The guarantee of an image and what it implies, as JSON values.

    The ceilings bound any attacker, and hold only if nothing is unprotected.
    """
    bounded = not unprotected
    return {
        "epsilon": guarantee.epsilon,
        "delta": guarantee.delta,
        "unit": str(guarantee.unit),
        "relation": str(guarantee.relation),
        "private": guarantee.secure,
        "numerics": "exact" if guarantee.exact else "idealised",
        "verification_auc_at_most": guarantee.verification_ceiling() if bounded else None,
        "top1_at_most": {
            "gallery": GALLERY,
            "rate": guarantee.gallery_ceiling(GALLERY) if bounded else None,
        },
    }


def statement(guarantee: Guarantee, unprotected: Sequence[str]) -> list[str]:
    """The guarantee in words: one line, or two if anything is unprotected."""
    if not unprotected:
        return [f"Any two images are indistinguishable up to {guarantee}."]
    return [
        "Any two images that agree in what is unprotected are indistinguishable up to "
        f"{guarantee}.",
        f"Unprotected, epsilon infinity: {'; '.join(unprotected)}.",
    ]


def warnings(guarantee: Guarantee, layout: Layout = Layout.FLAT) -> list[str]:
    """What a reader must not overlook; empty if there is nothing of the kind."""
    found = [MIRROR_WARNING] if layout == Layout.MIRROR else []
    if not guarantee.secure:
        found.append("NOT PRIVATE: the noise came from a seed")
    if guarantee.epsilon > math.log(GALLERY):
        found.append(
            f"WEAK: epsilon {guarantee.epsilon:.6g} is above ln {GALLERY:,} = "
            f"{math.log(GALLERY):.1f}; nothing formal protects a source from being found in a "
            "gallery of that size"
        )
    if not guarantee.exact:
        found.append(
            "IDEALISED NUMERICS: the guarantee is proved for real numbers, and this mechanism "
            "computes with floating-point ones"
        )
    return found


CARD = "release.json"


IMAGES = "images"


def read_card(out: Path) -> dict[str, Any] | None:
    """The card of a release folder, or None if it has none that can be read."""
    try:
        card = read_json(out / CARD)
    except InputError:
        return None
    return card if isinstance(card, dict) and card.get("tool") == "latentdp" else None


def read_json(path: Path) -> Any:
    """JSON without NaN and infinities, which no card of ours holds.

    Raises:
        InputError: There is no file, or it is no such JSON.
    """

    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("expected a release card; there is none that can be read") from error


def release_id(out: Path) -> str | None:
    """The identifier of the release in a folder, None if its card tells none."""
    told = (read_card(out) or {}).get("release")
    return told if isinstance(told, str) and re.fullmatch(r"[0-9a-f]{16}", told) else None
