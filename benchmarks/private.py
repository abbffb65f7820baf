"""Where the noise of a private training may go in, at equal budgets: what a classifier reaches.

    python benchmarks/private.py DATA [--weights cxr-adult] [--source kermany] [--finding normal]
        [--methods head output] [--patients 500 2000] [--epsilons 1 2 8] [--seeds 5]
        [--state FOLDER] [--json FILE]

DATA is a folder with manifest.csv. The private cohort are patients of the training split of one
source, 0 patients all of them; the public flow never saw that source. A classifier of one finding
is tested on original images of other patients, the validation and test splits. Noise comes from
seeds, so these classifiers are not private. Epsilon is that of a patient, replace-one; nothing
here was tuned on the source. `latentdp compare --private` does the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from _harness import Report, parse, parser, progress
from _results import Column, Interval

from latentdp.core.cache import ResultCache
from latentdp.models.flow.flow import load_flow
from latentdp.private_training.comparison.compare_private import told
from latentdp.private_training.comparison.measure import DELTA, PrivateGrid, rows
from latentdp.private_training.comparison.points import points
from latentdp.reports.private_comparison import PrivateRow
from latentdp.synthesis.comparison.cohort import ComparedCohort

COLUMNS = (
    Column("noise in", "{point}"),
    Column("method", "{method}"),
    Column("patients", "{patients:,}"),
    Column("epsilon", "{epsilon:g}", missing="infinite"),
    Column("add-remove", "{add_remove:.2f}"),
    Column("AUC", "{auc:.3f| to }", bare=True, missing="refused"),
    Column("worst seed", "{worst_auc:.3f}", bare=True),
    Column("accuracy", "{accuracy:.3f| to }", bare=True),
    Column("MCC", "{matthews:.3f| to }", bare=True),
    Column("members told", "{members:.3f| to }", bare=True),
    Column("at 1 %", "{revealed:.3f}", bare=True),
    Column("seconds", "{seconds:.1f}"),
)


@dataclass(frozen=True)
class Row:
    """What one method reached, as in `latentdp.reports.private_comparison.PrivateRow`."""

    point: str
    method: str
    patients: int
    epsilon: float | None
    add_remove: float | None
    auc: Interval | None
    worst_auc: float | None
    accuracy: Interval | None
    matthews: Interval | None
    members: Interval | None
    revealed: float | None
    seconds: float

    @classmethod
    def of(cls, row: PrivateRow) -> Row:
        """From a row of a comparison."""
        return cls(
            point=row.point,
            method=row.method,
            patients=row.patients,
            epsilon=row.epsilon,
            add_remove=row.add_remove,
            auc=Interval.of(row.auc),
            worst_auc=row.worst_auc,
            accuracy=Interval.of(row.accuracy),
            matthews=Interval.of(row.matthews),
            members=Interval.of(row.members),
            revealed=row.revealed,
            seconds=row.seconds,
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a row for each method, size of the cohort and epsilon."""
    options = parse(_parser(), arguments)
    grid = PrivateGrid(patients=options.patients, epsilons=options.epsilons, seeds=options.seeds)
    chosen = points(options.methods)
    flow = load_flow(options.weights, exact=False)
    cohort = ComparedCohort(flow, options.data, options.source, ResultCache(options.state))
    finding = told(cohort, options.finding)
    facts = {
        "finding": finding,
        "seeds": options.seeds,
        "delta": DELTA,
        "test images": len(cohort.tests.images),
    }
    with Report(options, COLUMNS, facts=facts) as report:
        for row in rows(cohort, finding, chosen, grid, progress("comparing")):
            report.extend([Row.of(row)])


def _parser() -> argparse.ArgumentParser:
    options = parser("private", __doc__, data=True, state="optional")
    options.add_argument(
        "--weights", default="cxr-adult", help="public; they never saw the source"
    )
    options.add_argument("--source", default="kermany")
    options.add_argument("--finding", default="", help="by default normal")
    options.add_argument("--methods", nargs="*", default=[], help="by default all")
    options.add_argument("--patients", nargs="*", type=int, default=[500, 2_000])
    options.add_argument("--epsilons", nargs="*", type=float, default=[1.0, 2.0, 8.0])
    options.add_argument("--seeds", type=int, default=5)
    return options


if __name__ == "__main__":
    main()
