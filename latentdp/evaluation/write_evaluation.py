"""What an evaluation leaves behind: JSON and pages in private, a summary on the public card."""

from __future__ import annotations

from pathlib import Path

from msgspec import UNSET

from latentdp.core.cache import closed
from latentdp.core.filesystem import digest, write_json
from latentdp.core.version import __version__
from latentdp.evaluation.hardest_pairs import hardest
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.evaluation.verdict import inferred
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_page import write_evaluation_page
from latentdp.reports.hardest_pairs_page import write_hardest_page
from latentdp.reports.release_card import ReleaseCard, add_evaluation
from latentdp.reports.release_card_parts import EvaluationSummary
from latentdp.reports.release_page import write_release_page

__all__ = ["write_evaluation"]


def write_evaluation(
    evaluation: Evaluation, scene: ThreatModel, folder: Path, *, card_of: Path | None
) -> Path:
    """Writes ``evaluation.json``, ``evaluation.html`` and ``hardest.html``; returns the page.

    Args:
        evaluation: Of `latentdp.evaluation.evaluate.evaluate`.
        scene: That the evaluation is of, after its attacks.
        folder: Private; made if absent, closed to others. ``hardest.html`` shows originals.
        card_of: Release folder whose card gets a summary; None for a release of another method.
            The card counts and quotes, and names no image.
    """
    closed(folder)
    write_json(folder / "evaluation.json", evaluation.to_json())
    write_evaluation_page(evaluation, folder / "evaluation.html")
    write_hardest_page(hardest(scene), folder / "hardest.html")
    card = None if card_of is None else ReleaseCard.find(card_of)
    if card_of is not None and card is not None:
        now = evaluation.verdict.lines
        before = () if card.evaluation is UNSET else card.evaluation.lines
        # A refutation stays, whatever a later evaluation with other seeds or less effort finds.
        earlier = tuple(
            f"REFUTED before: {line.partition(': ')[2]}"
            for line in before
            if line.startswith("REFUTED") and line not in now
        )
        effort, people = evaluation.effort, evaluation.cohort
        summary = EvaluationSummary(
            lines=earlier + now,
            claims=evaluation.verdict.claims,
            inferred=inferred(evaluation),
            images=people if people is UNSET else people.images,
            patients=people if people is UNSET else people.patients,
            quick=evaluation.quick,
            seed=evaluation.seed,
            restarts=effort if effort is UNSET else effort.restarts,
            verifier=evaluation.verifier,
            by=__version__,
            sha256=digest(folder / "evaluation.json"),
        )
        add_evaluation(card_of, summary)
        write_release_page(card_of)
    return folder / "evaluation.html"
