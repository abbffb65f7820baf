"""The public card of a synthetic set whose guarantee an evaluation refuted says so."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from msgspec import structs

from latentdp.core.filesystem import write_json
from latentdp.reports.release_card import CARD
from latentdp.reports.synthesis_card import SynthesisCard

__all__ = ["mark_refuted"]


def mark_refuted(out: Path) -> None:
    """Has card and page of a data set say that its guarantee was refuted; never taken back.

    No number is written: those were measured on originals. A folder that cannot be written to
    stays as it is; the evaluation and its exit code say it all the same.

    Args:
        out: The folder of a synthesis.
    """
    from latentdp.reports.release_page import language_of  # pages are slow to load
    from latentdp.reports.synthesis_page import write_synthesis_page

    card = SynthesisCard.find(out)
    if card is None or card.refuted:
        return
    with suppress(OSError):
        write_json(out / CARD, structs.replace(card, refuted=True).to_json())
        write_synthesis_page(out, language_of(out))
