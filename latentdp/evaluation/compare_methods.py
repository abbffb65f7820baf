"""Public images in, a comparison of methods out: the job as a function, and as a command."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from latentdp.core.filesystem import write_json
from latentdp.core.progress import ProgressCallback, forward, silent
from latentdp.errors import InputError
from latentdp.evaluation.compare import compare as run
from latentdp.evaluation.compare import entries
from latentdp.evaluation.datasets import GROUNDS, ground
from latentdp.evaluation.threat_model import chosen_effort
from latentdp.reports.comparison import Comparison
from latentdp.reports.comparison_page import write_comparison_page
from latentdp.reports.recognition import LARGEST_AUC, LARGEST_FIRST, Thresholds

__all__ = ["ComparisonReport", "compare"]


class ComparisonReport(NamedTuple):
    """What a comparison found, and where it is to be read.

    Attributes:
        comparison: A row for each method: its evaluation on both data sets, in short and whole.
        page: The same to look at, ``comparison.html``; ``comparison.json`` lies beside it.
    """

    comparison: Comparison
    page: Path


def compare(
    data: str | Path,
    out: str | Path,
    *,
    identity_weights: str = GROUNDS["identity"],
    finding_weights: str = GROUNDS["findings"],
    methods: Collection[str] = (),
    patients: int = 0,
    quick: bool = False,
    restarts: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    verifier: str = "",
    auc_at_most: float = LARGEST_AUC,
    first_at_most: float = LARGEST_FIRST,
    progress: ProgressCallback = silent,
) -> ComparisonReport:
    """Compares presets, rivals and controls on the same images, as ``latentdp compare``.

    With images of your own, ``public``, which must be public:

        >>> import latentdp
        >>> names = ("raw", "blur-5")
        >>> comparison, page = latentdp.compare("public", "out", methods=names, quick=True)
        >>> [row.name for row in comparison.rows]
        ['raw', 'blur-5']

    It may be called again after an interruption, and goes on with the next row.

    Args:
        data: Manifest, or its folder, with ``patient_id``, ``split`` and what the weights'
            conditions need; of several sources, those that the weights were trained on are taken.
        out: Folder for ``comparison.html``, ``comparison.json`` and the parts that it goes on
            from; made if absent.
        identity_weights: Weights, by name or path, on whose images people are recognised.
        finding_weights: Weights on whose images findings are learnt.
        methods: Names of the rows; empty for all.
        patients: Patients of each split, for a trial; 0 for all.
        quick: A first look; it supports no claim.
        restarts: Of the adaptive verifier, at least 1; None for the usual number.
        steps: Of its optimiser per restart, at least 1; None for the usual number.
        seed: Of noise and attackers; the same seed gives the same comparison.
        verifier: Weights of the verifier to start from, by name or path; empty for the shipped
            ones that fit.
        auc_at_most: A method keeps the claim only up to this AUC, from 0.5 to 0.6.
        first_at_most: And only up to this share of originals named first, from 0 to 0.02.
        progress: Called with the share done, in [0, 1], and words.

    Raises:
        InputError: A value is out of its range, there is no such method, or the images are not
            there; nothing was written.
        WeightsError: Weights are refused.
    """
    out = Path(out)
    if patients < 0:
        raise InputError(f"expected --patients of at least 0, got {patients}")
    thresholds = Thresholds(auc=auc_at_most, first=first_at_most)
    effort = chosen_effort(quick=quick, restarts=restarts, steps=steps)
    grounds = [
        ground("identity", Path(data), identity_weights, limit=patients),
        ground("findings", Path(data), finding_weights, limit=patients),
    ]
    rows = entries(grounds, methods)
    out.mkdir(parents=True, exist_ok=True)
    comparison = run(
        grounds,
        rows,
        out / "parts",
        effort=effort,
        seed=seed,
        quick=quick,
        thresholds=thresholds,
        verifier=verifier,
        tell=forward(progress),
    )
    page = out / "comparison.html"
    write_json(out / "comparison.json", comparison.to_json())
    write_comparison_page(comparison, page)
    return ComparisonReport(comparison, page)
