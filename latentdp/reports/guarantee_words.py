"""What a guarantee means, in the words of a card, a header and a page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.rounding import printed
from latentdp.reports.layout import MIRROR_WARNING, Layout

__all__ = ["GALLERY", "NOT_COVERED", "PATIENT_RULE", "statement", "warnings"]

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
    lines = [MIRROR_WARNING] if layout == Layout.MIRROR else []
    if not guarantee.secure:
        lines.append("NOT PRIVATE: the noise came from a seed")
    if guarantee.epsilon > math.log(GALLERY):
        lines.append(
            f"WEAK: epsilon {printed(guarantee.epsilon)} is above ln {GALLERY:,} = "
            f"{math.log(GALLERY):.1f}; nothing formal protects a source from being found in a "
            "gallery of that size"
        )
    if not guarantee.exact:
        lines.append(
            "IDEALISED NUMERICS: the guarantee is proved for real numbers, and this mechanism "
            "computes with floating-point ones"
        )
    return lines
