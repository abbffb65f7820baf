"""Where the noise of a private training goes in, at equal budgets: images in, a table out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from latentdp.core.cache import ResultCache
from latentdp.core.filesystem import write_json
from latentdp.core.progress import ProgressCallback, forward, silent
from latentdp.core.version import __version__
from latentdp.errors import InputError
from latentdp.models.flow.flow import load_flow
from latentdp.private_training.comparison.measure import PrivateGrid, rows
from latentdp.private_training.comparison.points import points
from latentdp.reports.private_comparison import PrivateComparison
from latentdp.synthesis.comparison.cohort import NORMAL, ComparedCohort

__all__ = ["NoiseReport", "compare_private", "told"]

NOTES = (
    "Epsilon is that of a patient, replace-one, with all of their images, at one delta for all "
    "rows; add-remove is the same noise under the relation that most papers state.",
    "Methods without a delta of their own (objective_pure, vmf) promise more at the same epsilon.",
    "Numbers are means over cohorts and draws of noise; intervals are 95 % over patients of the "
    "tests. All constants were fixed beforehand, on other people; nothing is chosen on the tests.",
    "members and revealed: an attacker who knows an image and its truth, and thinks who is read "
    "with more certainty than others was learnt from. It is one attack, no bound.",
    "The noise comes from seeds: these classifiers are not private.",
)


class NoiseReport(NamedTuple):
    """What a comparison found, and where it is kept.

    Attributes:
        comparison: A row for each method and budget.
        page: The same to look at, ``private.html``; ``private.json`` lies beside it.
    """

    comparison: PrivateComparison
    page: Path


def compare_private(
    data: str | Path,
    out: str | Path,
    *,
    weights: str = "cxr-adult",
    source: str = "kermany",
    methods: Sequence[str] = (),
    finding: str = "",
    patients: Sequence[int] = PrivateGrid.patients,
    epsilons: Sequence[float] = PrivateGrid.epsilons,
    seeds: int = PrivateGrid.seeds,
    progress: ProgressCallback = silent,
) -> NoiseReport:
    """Compares where noise may go in, as ``latentdp compare --private``.

    With images that are public, in ``public``:

        >>> import latentdp
        >>> comparison, page = latentdp.compare_private(
        ...     "public", "private", methods=["no noise", "votes"], patients=[20], epsilons=[8.0],
        ...     seeds=1,
        ... )
        >>> [(row.method, row.point) for row in comparison.rows], page.name
        ([('no noise', 'none'), ('votes', 'prediction')], 'private.html')

    It may be called again after an interruption, and goes on where it was.

    Args:
        data: Manifest, or its folder, with ``patient_id``, ``split`` and ``labels``.
        out: Folder for ``private.html``, ``private.json`` and the parts that it goes on from.
        weights: Public ones, by name or path, which should never have seen the source.
        source: Of the manifest's images; empty for all.
        methods: Names of those to compare; empty for all.
        finding: That is told from all else; empty for normal, or the first name.
        patients: Sizes of the cohort; 0 for all.
        epsilons: Of a patient, in nats.
        seeds: How many cohorts and draws of noise, from 0; at least 1.
        progress: Called with the share done, in [0, 1], and words.

    Raises:
        InputError: A value is out of its range, there is no such method or finding, or the images
            are not there; nothing was written.
        WeightsError: Weights are refused.
    """
    from latentdp.reports.private_comparison_page import write_private_page  # slow to load

    grid = PrivateGrid(patients=patients, epsilons=epsilons, seeds=seeds)
    out, tell = Path(out), forward(progress)
    chosen = points(methods)
    flow = load_flow(weights, exact=False)
    cohort = ComparedCohort(flow, Path(data), source, ResultCache(out / "parts"))
    finding = told(cohort, finding)
    comparison = PrivateComparison(
        kind="private comparison",
        format=1,
        version=__version__,
        weights=flow.name,
        source=source,
        finding=finding,
        patients=cohort.patients,
        test_images=len(cohort.tests.images),
        test_patients=int(cohort.tests.patients.max()) + 1,
        rows=tuple(rows(cohort, finding, chosen, grid, tell)),
        notes=NOTES,
    )
    write_json(out / "private.json", comparison.to_json())
    page = out / "private.html"
    write_private_page(comparison, page)
    return NoiseReport(comparison, page)


def told(cohort: ComparedCohort, finding: str) -> str:
    """The finding that is meant: by its name, else normal, else the first.

    Raises:
        InputError: No image of the cohort has it.
    """
    if not finding:
        return NORMAL if NORMAL in cohort.names else cohort.names[0]
    if finding not in cohort.names:
        raise InputError(f"no finding {finding!r}; there are: {', '.join(cohort.names)}")
    return finding
