"""What an evaluation leaves behind: private pages and JSON, and a summary on the release card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from latentdp import __version__
from latentdp.attacks.base import Scene
from latentdp.card import write_json
from latentdp.checkpoints import digest
from latentdp.folders import CARD, read_card
from latentdp.hardest import hardest
from latentdp.notes import closed
from latentdp.pages.evaluation import write_evaluation_page
from latentdp.pages.hardest import write_hardest_page
from latentdp.pages.release import write_release_page

__all__ = ["write_evaluation"]


def write_evaluation(
    evaluation: dict[str, Any], scene: Scene, folder: Path, *, card_of: Path | None
) -> Path:
    """Writes ``evaluation.json``, ``evaluation.html`` and ``hardest.html``; returns the page.

    Args:
        evaluation: Of `evaluate.evaluate`.
        scene: Of the same.
        folder: Private; made if absent, closed to others. ``hardest.html`` shows originals.
        card_of: Release folder whose card gets a summary; None for a release of another method.
            The card counts and quotes, and names no image.
    """
    closed(folder)
    write_json(folder / "evaluation.json", evaluation)
    write_evaluation_page(evaluation, folder / "evaluation.html")
    write_hardest_page(hardest(scene), folder / "hardest.html")
    card = None if card_of is None else read_card(card_of)
    if card_of is not None and card is not None:
        # A refutation stays, whatever a later evaluation with other seeds or less effort finds.
        earlier = [
            f"REFUTED before: {line.partition(': ')[2]}"
            for line in card.get("evaluation", {}).get("lines", ())
            if line.startswith("REFUTED") and line not in evaluation["verdict"]["lines"]
        ]
        summary = {
            "lines": earlier + evaluation["verdict"]["lines"],
            "claims": evaluation["verdict"]["claims"],
            "images": evaluation["cohort"]["images"],
            "patients": evaluation["cohort"]["patients"],
            "quick": evaluation["quick"],
            "seed": evaluation["seed"],
            "restarts": evaluation["effort"]["restarts"],
            "verifier": evaluation["verifier"],
            "by": __version__,
            "sha256": digest(folder / "evaluation.json"),
        }
        write_json(card_of / CARD, card | {"evaluation": summary})
        write_release_page(card_of)
    return folder / "evaluation.html"
