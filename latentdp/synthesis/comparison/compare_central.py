"""Ways to a synthetic cohort at equal budgets of each patient: images in, a comparison out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from latentdp.core.cache import ResultCache
from latentdp.core.filesystem import write_json
from latentdp.core.progress import ProgressCallback, forward, silent
from latentdp.core.version import __version__
from latentdp.models.flow.flow import load_flow
from latentdp.reports.central_comparison import CentralComparison
from latentdp.synthesis.comparison.cohort import ComparedCohort
from latentdp.synthesis.comparison.contestants import contestants
from latentdp.synthesis.comparison.measure import DELTA, Grid, measured

__all__ = ["CentralReport", "compare_central"]

NOTES = (
    "Epsilon is that of a patient, replace-one, at one delta for all rows and sizes of a cohort; "
    "add-remove is the same noise under the relation that most papers state.",
    "Readers, their settings and all constants of the methods were fixed beforehand, on other "
    "people; nothing is chosen on the tests, and no row is the best of several.",
    "The names of the findings count as declared. Noise comes from seeds: these sets are not "
    "private.",
    "The tests are originals of other patients; intervals are 95 % over patients of the tests, "
    "and hold neither another draw of the cohort nor of noise.",
    "An image's own epsilon without delta promises more than a patient's with delta, and says "
    "nothing of a second image.",
)


class CentralReport(NamedTuple):
    """What a comparison found, and where it is to be read.

    Attributes:
        comparison: A row for each set and reader.
        page: The same to look at, ``central.html``; ``central.json`` lies beside it.
    """

    comparison: CentralComparison
    page: Path


def compare_central(
    data: str | Path,
    out: str | Path,
    *,
    weights: str = "cxr-adult",
    source: str = "kermany",
    methods: Sequence[str] = (),
    patients: Sequence[int] = Grid.patients,
    epsilons: Sequence[float] = Grid.epsilons,
    seeds: int = Grid.seeds,
    images: int = Grid.images,
    readers: Sequence[str] = Grid.readers,
    progress: ProgressCallback = silent,
) -> CentralReport:
    """Compares all ways to a synthetic cohort, as ``latentdp compare --central``.

    With images that are public, in ``public``:

        >>> import latentdp
        >>> comparison, page = latentdp.compare_central(
        ...     "public", "central", methods=["gaussian"], patients=[20], epsilons=[8.0], images=8,
        ... )
        >>> [row.method for row in comparison.rows], page.name
        (['originals', 'gaussian'], 'central.html')

    It may be called again after an interruption, and goes on where it was.

    Args:
        data: Manifest, or its folder, with ``patient_id``, ``split`` and ``labels``.
        out: Folder for ``central.html``, ``central.json`` and the parts that it goes on from.
        weights: Public ones, by name or path, which should never have seen the source.
        source: Of the manifest's images; empty for all.
        methods: Names of those to compare; empty for the usual ones.
        patients: Sizes of the cohort; 0 for all.
        epsilons: Of a patient, in nats.
        seeds: How many, from 0; at least 1.
        images: To draw for each set; at least 2.
        readers: Who learns from each set: ``linear``, ``cnn`` or both.
        progress: Called with the share done, in [0, 1], and words.

    Raises:
        InputError: A value is out of its range, there is no such method, or the images are not
            there; nothing was written.
        WeightsError: Weights are refused.
    """
    from latentdp.reports.central_comparison_page import write_central_page  # slow to load

    grid = Grid(patients=patients, epsilons=epsilons, seeds=seeds, images=images, readers=readers)
    out, tell = Path(out), forward(progress)
    chosen = contestants(methods)
    flow = load_flow(weights, exact=False)
    cohort = ComparedCohort(flow, Path(data), source, ResultCache(out / "parts"))
    sets = list(measured(cohort, chosen, grid, tell))
    comparison = CentralComparison(
        kind="central comparison",
        format=1,
        version=__version__,
        weights=flow.name,
        source=source,
        findings=cohort.names,
        patients=cohort.patients,
        test_images=len(cohort.tests.images),
        test_patients=int(cohort.tests.patients.max()) + 1,
        delta=DELTA,
        rows=tuple(row for one in sets for row in one.rows),
        notes=NOTES,
    )
    page = out / "central.html"
    write_json(out / "central.json", comparison.to_json())
    write_central_page(comparison, [(one.rows[0], one.shown) for one in sets], page)
    return CentralReport(comparison, page)
