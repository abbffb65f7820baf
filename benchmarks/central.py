"""What synthetic data sets of a whole cohort teach a reader, against the originals.

    python benchmarks/central.py DATA [--weights cxr-adult] [--source kermany]
        [--methods gaussian mixture] [--patients 300 1000 0] [--epsilons 1 2 8] [--images 1200]
        [--seeds 1] [--tests val test] [--cnn] [--sheet FILE] [--picture FILE]
        [--state FOLDER] [--json FILE]

DATA is a folder with manifest.csv. The private cohort are patients of the training split of one
source, 0 patients all of them, under the findings of the manifest; a public flow that never saw
that source draws from what was learnt. A reader that learns on the drawn images and labels is
tested on original images of other patients, the validation and test splits. Noise comes from
seeds, so these sets are not private. Epsilon is that of a patient, replace-one; nothing here was
tuned on the source. `latentdp compare --central` does the same, with a page. ``--methods`` also
takes rivals on the same footing, which only benchmarks have: "DP-GAN in the latent", "TopAgg",
"DP-Sinkhorn in the latent" and "DP2-VAE in the latent"; and "gaussian, one of 4", whose images
the critic chooses. With ``--tests val`` choices are made, which a report must not have seen.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from _central_views import picture
from _harness import Report, parse, parser, progress
from _latent_gan import LatentGan
from _latent_vae import LatentVae
from _results import Column, Interval
from _sinkhorn import LatentSinkhorn
from _top_aggregation import TopAggregation

from latentdp.core.cache import ResultCache
from latentdp.data.contact_sheet import contact_sheet
from latentdp.models.flow.flow import load_flow
from latentdp.reports.central_comparison import CentralRow
from latentdp.synthesis.comparison.cohort import ComparedCohort
from latentdp.synthesis.comparison.contestants import CentralMethod, contestants
from latentdp.synthesis.comparison.measure import DELTA, Grid, measured
from latentdp.synthesis.methods.gaussian import FindingGaussians

RIVALS = tuple(
    CentralMethod(one.name, one, "rival")
    for one in (LatentGan, TopAggregation, LatentSinkhorn, LatentVae)
)
CHOSEN = CentralMethod("gaussian, one of 4", FindingGaussians, candidates=4)
COLUMNS = (
    Column("method", "{method}"),
    Column("patients", "{patients:,}"),
    Column("epsilon", "{epsilon:g}", missing="infinite"),
    Column("add-remove", "{add_remove:.2f}"),
    Column("reader", "{reader}"),
    Column("normal or not", "{normal:.3f| to }", bare=True),
    Column("mean of findings", "{findings:.3f| to }", bare=True),
    Column("the head itself", "{head:.3f}", bare=True),
    Column("seconds", "{seconds:.0f}"),
)


@dataclass(frozen=True)
class Row:
    """What one reader reached.

    Attributes:
        method: Of synthesis, or originals.
        patients: Whose images it was learnt from.
        epsilon: Of a patient, replace-one; None for originals.
        add_remove: The same noise under add-remove; None where nobody states it.
        seed: Of patients and noise.
        reader: ``linear`` or ``cnn``.
        normal: AUC of normal against all else, with the interval over patients.
        findings: Mean AUC of all findings, likewise.
        head: AUC of normal of the head that labelled; None where there is none.
        seconds: Until the set was there.
    """

    method: str
    patients: int
    epsilon: float | None
    add_remove: float | None
    seed: int
    reader: str
    normal: Interval | None
    findings: Interval | None
    head: float | None
    seconds: float

    @classmethod
    def of(cls, row: CentralRow) -> Row:
        """From a row of a comparison."""
        return cls(
            method=row.method,
            patients=row.patients,
            epsilon=row.epsilon,
            add_remove=row.add_remove,
            seed=row.seed,
            reader=row.reader,
            normal=Interval.of(row.normal),
            findings=Interval.of(row.findings),
            head=row.head,
            seconds=row.seconds,
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a row for each method, size of the cohort, epsilon, seed and reader."""
    options = parse(_parser(), arguments)
    grid = Grid(
        patients=options.patients,
        epsilons=options.epsilons,
        seeds=options.seeds,
        images=options.images,
        readers=("linear", "cnn") if options.cnn else ("linear",),
    )
    chosen = contestants(options.methods, (*RIVALS, CHOSEN))
    flow = load_flow(options.weights, exact=False)
    cohort = ComparedCohort(
        flow, options.data, options.source, ResultCache(options.state), options.tests
    )
    sheet = []
    facts = {
        "images": options.images,
        "delta": DELTA,
        "test images": len(cohort.tests.images),
    }
    with Report(options, COLUMNS, facts=facts) as report:
        for one in measured(cohort, chosen, grid, progress("comparing")):
            report.extend(map(Row.of, one.rows))
            sheet.append(one.shown)
    if options.sheet is not None:
        contact_sheet(options.sheet, sheet, zoom=2)
    if options.picture is not None:
        picture(report.rows, options.picture)


def _parser() -> argparse.ArgumentParser:
    options = parser("central", __doc__, data=True, state="optional")
    options.add_argument(
        "--weights", default="cxr-adult", help="public; they never saw the source"
    )
    options.add_argument("--source", default="kermany")
    options.add_argument("--methods", nargs="*", default=[], help="by default the usual ones")
    options.add_argument("--patients", nargs="*", type=int, default=[300, 1_000, 0])
    options.add_argument("--epsilons", nargs="*", type=float, default=[1.0, 2.0, 8.0])
    options.add_argument("--images", type=int, default=1_200)
    options.add_argument("--seeds", type=int, default=1)
    options.add_argument("--tests", nargs="+", default=["val", "test"], help="splits to read")
    options.add_argument("--cnn", action="store_true", help="the project's reader, too")
    options.add_argument("--sheet", type=Path, help="PNG to write: a row of images for each set")
    options.add_argument("--picture", type=Path, help="SVG to write: AUC over epsilon")
    return options


if __name__ == "__main__":
    main()
