"""What ``weights train --private`` does: a private cohort in, a classifier out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._render import print_json, share_progress, table
from ._synthesis_rows import learnt_rows, learnt_values

if TYPE_CHECKING:
    from latentdp.private_training.request import TrainingRequest

__all__ = ["train_privately"]


def train_privately(request: TrainingRequest, weights: str, *, dry_run: bool, json: bool) -> int:
    """Trains, or says what it would cost; returns the exit code.

    Args:
        request: What is asked for.
        weights: Shipped ones, by name or path.
        dry_run: Write nothing.
        json: Print JSON instead of a table.
    """
    from latentdp.models.flow.flow import load_flow
    from latentdp.private_training.classifier import Classifier
    from latentdp.private_training.train import preview_training, train_classifier

    run = preview_training if dry_run else train_classifier
    flow = load_flow(weights, exact=False)
    with share_progress("learning", shown=not json) as advance:
        summary = run(request, flow, progress=advance)
    values = learnt_values(summary, dry_run=dry_run)
    rows = learnt_rows(summary, dry_run=dry_run)
    if not dry_run:
        key = Classifier.load(request.out).training.key
        values |= {
            "classifier": str(request.out),
            "key": key,
            "vault": str(request.place),
            "report": str(summary.report),
            "findings": list(summary.findings),
            "warnings": list(summary.warnings),
        }
        rows += [
            ("findings", "; ".join(summary.findings)),
            ("classifier", f"{request.out} (public: latentdp weights predict reads with it)"),
            ("key", f"{key} (public: tell it by another way to whoever shall check the card)"),
            ("vault", f"{request.place} (PRIVATE: key, ledger, reports; do not release it)"),
            ("report", str(summary.report)),
        ]
    if json:
        print_json(values)
    else:
        table("dry run: nothing was written" if dry_run else "a classifier", rows)
    return summary.exit_code
