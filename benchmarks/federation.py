"""What hospitals learn together by one file of each, against one curator and against each alone.

    python benchmarks/federation.py DATA [--weights cxr-adult] [--source kermany]
        [--method gaussian] [--sites 3 5 10] [--patients 0] [--epsilons 2 8] [--images 1200]
        [--seeds 1] [--state FOLDER] [--json FILE]

DATA is a folder with manifest.csv. The patients of the training split of one source are one
cohort, 0 of them all, or are divided among sites: evenly, or askew, where a site has only patients
with one of the findings as far as they go. Every site spends epsilon on its own patients. All sets
are read by the same linear reader as in `central.py`, on originals of other patients. Noise comes
from seeds, so these sets are not private.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from _harness import Report, parse, parser, progress
from _results import Column, Interval
from numpy.typing import NDArray

from latentdp.core import plugins
from latentdp.core.cache import ResultCache
from latentdp.federation.combine import add_up
from latentdp.models.flow.flow import load_flow
from latentdp.synthesis.comparison.aucs import Aucs
from latentdp.synthesis.comparison.cohort import ComparedCohort
from latentdp.synthesis.comparison.contestants import CentralMethod
from latentdp.synthesis.learn import Learnt
from latentdp.synthesis.plan import SynthesisPlan

KIND = "synthesis methods"
DELTA = 1e-5
TOGETHER = 64  # patients
Division = list[NDArray[np.int64]]
COLUMNS = (
    Column("who learns", "{who}"),
    Column("sites", "{sites}"),
    Column("patients", "{patients:,}"),
    Column("epsilon", "{epsilon:g}"),
    Column("normal or not", "{normal:.3f| to }", bare=True),
    Column("mean of findings", "{findings:.3f| to }", bare=True),
    Column("the head itself", "{head:.3f}", bare=True),
)


@dataclass(frozen=True)
class Row:
    """What a reader reached.

    Attributes:
        who: ``one curator``, ``sites together``, ``sites together, askew`` or ``one site alone``.
        sites: How many.
        patients: Of all of them together.
        epsilon: Of a patient, replace-one.
        seed: Of patients and noise.
        normal: AUC of normal against all else, with the interval over patients.
        findings: Mean AUC of all findings, likewise.
        head: AUC of normal of the head that labelled.
    """

    who: str
    sites: int
    patients: int
    epsilon: float
    seed: int
    normal: Interval | None
    findings: Interval | None
    head: float | None


class Sites(CentralMethod):
    """Several curators, who add up what each released of patients of their own.

    Args:
        name: Of the rows.
        method: Its name.
        sites: Numbers of the patients of each.
    """

    def __init__(self, name: str, method: str, sites: Division) -> None:
        super().__init__(name, plugins.load(KIND, method).method)
        self.division = sites

    def release(
        self, cohort: ComparedCohort, who: NDArray[np.int64], plan: SynthesisPlan, seed: int
    ) -> Learnt:
        """Of all sites, each with noise of its own; one alone adds nothing up."""
        parts = [
            super(Sites, self).release(cohort, site, plan, 100 * seed + i)
            for i, site in enumerate(self.division)
        ]
        if len(parts) == 1:
            return parts[0]
        return add_up(
            self._method(cohort.public, len(cohort.names)),
            [part.statistics for part in parts if part.statistics is not None],
            [part.head for part in parts if part.head is not None],
        )


def row(
    cohort: ComparedCohort, aucs: Aucs, sites: Sites, *, epsilon: float, images: int, seed: int
) -> Row:
    """What a set of some sites teaches."""
    who = np.concatenate(sites.division)
    made = sites.make(cohort, who, epsilon=epsilon, delta=DELTA, images=images, seed=seed)
    assert made.head is not None  # names are declared
    normal, findings = aucs.learnt("linear", made.images, seed)
    itself, _ = aucs.of(made.head)
    return Row(
        who=sites.name,
        sites=len(sites.division),
        patients=len(who),
        epsilon=epsilon,
        seed=seed,
        normal=Interval.of(normal),
        findings=Interval.of(findings),
        head=None if itself is None else itself.value,
    )


def evenly(who: NDArray[np.int64], sites: int) -> Division:
    """As many patients at each site."""
    return np.array_split(who, sites)


def askew(cohort: ComparedCohort, who: NDArray[np.int64], sites: int) -> Division:
    """As many at each, sorted by finding, so that most sites know one or two."""
    own = cohort.private
    first = {p: own.findings[own.patients == p][0].argmax() for p in who}
    return np.array_split(np.array(sorted(who, key=lambda p: int(first[p]))), sites)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a row for each way, number of sites, epsilon and seed."""
    options = parse(_parser(), arguments)
    flow = load_flow(options.weights, exact=False)
    cohort = ComparedCohort(flow, options.data, options.source, ResultCache(options.state))
    cohort.latents(progress("federating"))
    aucs = Aucs(cohort)
    facts = {"images": options.images, "delta": DELTA, "method": options.method}
    with Report(options, COLUMNS, facts=facts) as report:
        for seed in range(options.seeds):
            who = cohort.sample(options.patients, seed)
            for epsilon in options.epsilons:
                for name, division in _ways(cohort, who, options.sites):
                    sites = Sites(name, options.method, division)
                    report.add(
                        row(cohort, aucs, sites, epsilon=epsilon, images=options.images, seed=seed)
                    )


def _ways(
    cohort: ComparedCohort, who: NDArray[np.int64], numbers: Sequence[int]
) -> Iterator[tuple[str, Division]]:
    yield "one curator", [who]
    for sites in numbers:
        division = evenly(who, sites)
        yield "sites together", division
        yield "sites together, askew", askew(cohort, who, sites)
        yield "one site alone", division[:1]


def _parser() -> argparse.ArgumentParser:
    options = parser("federation", __doc__, data=True, state="optional")
    options.add_argument("--weights", default="cxr-adult", help="public")
    options.add_argument("--source", default="kermany")
    options.add_argument("--method", default="gaussian")
    options.add_argument("--sites", nargs="*", type=int, default=[3, 5, 10])
    options.add_argument("--patients", type=int, default=0)
    options.add_argument("--epsilons", nargs="*", type=float, default=[2.0, 8.0])
    options.add_argument("--images", type=int, default=1_200)
    options.add_argument("--seeds", type=int, default=1)
    return options


if __name__ == "__main__":
    main()
