"""What a student of voters learns, against a head that is learnt from the cohort with noise.

    python benchmarks/votes.py DATA [--weights cxr-adult] [--source kermany]
        [--findings "normal;bacterial;viral"] [--teachers 10 50 200] [--questions 100 400]
        [--epsilons 1 2 8] [--seeds 5] [--json FILE]

DATA is a folder with manifest.csv. The patients of the training split of one source are the
private cohort. Of the patients of its other splits one half are the questions, as if nobody had
read them; all readers are tested on the other half. Beside the usual voters stand other
aggregators, a ballot of each finding, neighbours, and ten hospitals, which have one teacher each
who vote together, or 20 each who answer by themselves. Rows are means over seeds of division,
patients' images and noise; intervals are over test patients. Noise comes from seeds, so nothing
here is private. Epsilon is that of a patient, replace-one; constants were fixed on adults (NIH).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from _harness import Report, parse, parser, progress
from _results import Column, Interval
from numpy.typing import NDArray

from latentdp.core import plugins
from latentdp.core.cache import ResultCache
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.models.flow.flow import load_flow
from latentdp.privacy.gaussian_accountant import mu_of
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.privacy.samplers.uniform import permutation
from latentdp.privacy.vote_accountant import Elections
from latentdp.synthesis.comparison.cohort import NORMAL, ComparedCohort
from latentdp.synthesis.findings import parse_names
from latentdp.synthesis.head import ROUNDS, Head, HeadData, averaged, descend, start
from latentdp.synthesis.public import thumbnails
from latentdp.synthesis.vectors import PatientImages
from latentdp.synthesis.voting.logistic import taught
from latentdp.synthesis.voting.student import STRENGTH
from latentdp.synthesis.voting.voters.base import Ballot, counted, elections
from latentdp.vault.keys import Keys

DELTA = 1e-5
SIDE, COARSE = 16, 8  # pixels of what voters and students read, and a head of few patients
FINE = 8_000.0  # patients times epsilon, from which on a head reads all pixels
IMAGES_PER_PATIENT = 4
HOSPITALS, TEACHERS_EACH = 10, 20
Matrix = NDArray[np.float64]
COLUMNS = (
    Column("who teaches", "{who}"),
    Column("voters", "{voters}"),
    Column("questions", "{questions}"),
    Column("epsilon", "{epsilon:g}", missing="infinite"),
    Column("of a site", "{site:up3}"),
    Column("normal or not", "{normal:.3f| to }", bare=True),
    Column("over seeds", "{spread:.3f}", bare=True),
    Column("mean of findings", "{findings:.3f| to }", bare=True),
    Column("right answers", "{right:.2f}", bare=True),
)


@dataclass(frozen=True)
class Row:
    """What a reader reached.

    Attributes:
        who: Who teaches it.
        voters: How many vote; None for none.
        questions: That are answered; None for none.
        epsilon: Of a patient; None for no privacy.
        site: Epsilon of a hospital as a whole; None where nobody states it.
        normal: AUC of normal against all else, with the interval over patients.
        spread: Standard deviation of it over seeds.
        findings: Mean AUC of all findings, likewise.
        right: Share of answers that are true; None where there are none.
    """

    who: str
    voters: int | None
    questions: int | None
    epsilon: float | None
    site: float | None
    normal: Interval | None
    spread: float
    findings: Interval | None
    right: float | None


class Ground:
    """The private cohort, questions and tests, as thumbnails.

    Args:
        cohort: With its tests.
        findings: Names that are voted on.
    """

    def __init__(self, cohort: ComparedCohort, findings: Sequence[str]) -> None:
        self.public, self.findings = cohort.public, tuple(findings)
        columns = [cohort.names.index(name) for name in self.findings]
        private, tests = cohort.private, cohort.tests
        rows = _first_images(private.patients)
        shown = private.findings[rows][:, columns]
        self.images = PatientImages(
            latents=np.empty((len(rows), 0)),
            thumbnails=thumbnails(private.images[rows]),
            findings=shown,
            read=shown.any(axis=1),
            patients=private.patients[rows],
        )
        self.patients = cohort.patients
        small, truth = thumbnails(tests.images), tests.findings[:, columns]
        people = permutation(SeededNoise(0), int(tests.patients.max()) + 1)
        asked = np.isin(tests.patients, people[: len(people) // 2])
        order = permutation(SeededNoise(1), int(asked.sum()))
        self.questions, self.answers = small[asked][order], truth[asked][order]
        self.tests, self.truth = small[~asked], truth[~asked]
        of = tests.patients[~asked]
        self._weights = Resamples(of).of(np.arange(len(of)))

    def part(self, patients: NDArray[np.int64]) -> PatientImages:
        """Some patients of the cohort."""
        rows = np.isin(self.images.patients, patients)
        return PatientImages(
            latents=self.images.latents[rows],
            thumbnails=self.images.thumbnails[rows],
            findings=self.images.findings[rows],
            read=self.images.read[rows],
            patients=np.unique(self.images.patients[rows], return_inverse=True)[1],
        )

    def head(self, side: int = SIDE) -> Head:
        """One that has learnt nothing."""
        return start(self.public, len(self.findings), side)

    def row(
        self,
        who: str,
        heads: Sequence[Head],
        *,
        voters: int | None = None,
        questions: int | None = None,
        epsilon: float | None = None,
        site: float | None = None,
        right: float | None = None,
    ) -> Row:
        """The mean of heads of several seeds."""
        scores = [head.features(self.tests) @ head.weights.T for head in heads]
        each = np.array([
            [auc(s[:, i], self.truth[:, i], self._weights) for i in range(s.shape[1])]
            for s in scores
        ])  # fmt: skip
        normal = each[:, self.findings.index(NORMAL)]
        return Row(
            who=who,
            voters=voters,
            questions=questions,
            epsilon=epsilon,
            site=site,
            normal=Interval.of(estimate(normal.mean(axis=0))),
            spread=float(normal[:, 0].std()),
            findings=Interval.of(estimate(each.mean(axis=(0, 1)))),
            right=right,
        )


@dataclass(frozen=True, kw_only=True)
class Poll:
    """How voters are asked.

    Attributes:
        kind: Of voters.
        voters: How many.
        questions: How many.
        aggregator: Its name.
        ballot: What is voted on.
    """

    kind: str = "teachers"
    voters: int
    questions: int
    aggregator: str = "exponential"
    ballot: Ballot = Ballot.ONE


def _answers(
    poll: Poll, ground: Ground, images: PatientImages, epsilons: Sequence[float], seed: int
) -> list[NDArray[np.bool_]]:
    """Noisy answers ``(q, f)`` under each epsilon of voters that are taught once."""
    subjects = tuple(map(str, range(int(images.patients.max()) + 1)))
    keys = Keys(seed.to_bytes(32, "big"))
    kind = plugins.load("voters", poll.kind).voters
    voters = kind.teach(images, subjects, keys, head=ground.head(), number=poll.voters)
    counts = counted(voters, ground.questions[: poll.questions], poll.ballot)
    findings = len(ground.findings)
    made = []
    for epsilon in epsilons:
        winners = _plan(poll, findings, epsilon).aggregator.winners(counts, SeededNoise(seed))
        one = poll.ballot is Ballot.ONE
        made.append(
            np.eye(findings, dtype=np.bool_)[winners]
            if one
            else winners.reshape(-1, findings).astype(np.bool_)
        )
    return made


def _plan(poll: Poll, findings: int, epsilon: float) -> Elections:
    number = elections(poll.questions, findings, poll.ballot)
    return Elections.calibrate(poll.aggregator, number, epsilon, DELTA)


def student(ground: Ground, answers: NDArray[np.bool_]) -> Head:
    """Taught as `latentdp vote answer` does it."""
    asked = ground.questions[: len(answers)]
    return taught(ground.head(), asked, answers, strength=STRENGTH)


def polled(
    ground: Ground,
    who: str,
    poll: Poll,
    epsilons: Sequence[float],
    seeds: int,
    *,
    of_a_site: int | None = None,
) -> Iterator[Row]:
    """Rows of one poll, by epsilon; a site has all voters, or so many of them."""
    drawn = [_answers(poll, ground, ground.images, epsilons, seed) for seed in range(seeds)]
    truth = ground.answers[: poll.questions]
    for epsilon, answers in zip(epsilons, zip(*drawn, strict=True), strict=True):
        plan = _plan(poll, len(ground.findings), epsilon)
        yield ground.row(
            who,
            [student(ground, one) for one in answers],
            voters=poll.voters,
            questions=poll.questions,
            epsilon=epsilon,
            site=plan.epsilon(DELTA, of_a_site or poll.voters),
            right=float(np.mean([(one == truth).all(axis=1).mean() for one in answers])),
        )


def noisy_head(ground: Ground, epsilon: float, seed: int) -> Head:
    """The head of ``latentdp synthesize`` with the whole budget; the cohort's size is public."""
    data = HeadData()
    data.add(ground.images)
    mu = mu_of(epsilon, DELTA) / 2  # replace-one
    fine = ground.patients * epsilon >= FINE
    head = ground.head(SIDE if fine else COARSE)
    steps = [NoisySum.calibrate(mu / math.sqrt(ROUNDS))] * ROUNDS
    known = np.ones(len(ground.findings), dtype=np.bool_)
    return descend(data, known, head, steps, count=ground.patients, noise=SeededNoise(seed))


def hospitals(ground: Ground, questions: int, epsilon: float, seeds: int) -> Iterator[Row]:
    """Ten sites: 20 teachers each that answer by themselves, or one each that vote together."""
    together = Poll(voters=HOSPITALS, questions=questions)
    yield from polled(ground, "ten sites, a teacher each", together, [epsilon], seeds, of_a_site=1)
    poll = Poll(voters=TEACHERS_EACH, questions=questions)
    heads, right = [], []
    for seed in range(seeds):
        people = np.array_split(permutation(SeededNoise(seed), ground.patients), HOSPITALS)
        told = [
            _answers(poll, ground, ground.part(own), [epsilon], HOSPITALS * seed + i)[0]
            for i, own in enumerate(people)
        ]
        heads.append(averaged([student(ground, one) for one in told], [1.0] * HOSPITALS))
        votes = np.sum(told, axis=0)
        truth = ground.answers[:questions].argmax(axis=1)
        right.append((votes.argmax(axis=1) == truth).mean())
    plan = _plan(poll, len(ground.findings), epsilon)
    yield ground.row(
        "ten sites, 20 teachers each, own noise",
        heads,
        voters=TEACHERS_EACH,
        questions=questions,
        epsilon=epsilon,
        site=plan.epsilon(DELTA, TEACHERS_EACH),
        right=float(np.mean(right)),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a row for each way, number of voters and questions, and epsilon."""
    options = parse(_parser(), arguments)
    flow = load_flow(options.weights, exact=False)
    cohort = ComparedCohort(flow, options.data, options.source, ResultCache(None))
    ground = Ground(cohort, parse_names(options.findings, "--findings"))
    most = len(ground.questions)
    asked = sorted({min(number, most) for number in options.questions})
    tell = progress("voting")
    facts = {
        "delta": DELTA,
        "seeds": options.seeds,
        "patients": ground.patients,
        "test images": len(ground.tests),
    }
    with Report(options, COLUMNS, facts=facts) as report:
        original = taught(
            ground.head(), ground.images.thumbnails, ground.images.findings, strength=STRENGTH
        )
        report.add(ground.row("the cohort, without privacy", [original]))
        truth = student(ground, ground.answers)
        report.add(ground.row("true answers", [truth], questions=most, right=1.0))
        for epsilon in options.epsilons:
            heads = [noisy_head(ground, epsilon, seed) for seed in range(options.seeds)]
            report.add(ground.row("the DP head", heads, epsilon=epsilon))
        for i, teachers in enumerate(options.teachers):
            tell(i / (len(options.teachers) + 1), f"{teachers} teachers")
            for number in asked:
                poll = Poll(voters=teachers, questions=number)
                report.extend(polled(ground, "teachers", poll, options.epsilons, options.seeds))
        tell(0.8, "other ways")
        few, teachers = asked[0], max(options.teachers)
        usual = {"voters": teachers, "questions": few}
        others = {
            "teachers, laplace": Poll(**usual, aggregator="laplace"),
            "teachers, permute and flip": Poll(**usual, aggregator="permute_and_flip"),
            "teachers, each finding": Poll(**usual, ballot=Ballot.EACH),
            "neighbours": Poll(**usual, kind="neighbours"),
        }
        for who, poll in others.items():
            report.extend(polled(ground, who, poll, options.epsilons, options.seeds))
        for epsilon in options.epsilons:
            report.extend(hospitals(ground, few, epsilon, options.seeds))


def _first_images(patients: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of so many images of each patient at most, by patient."""
    order = np.argsort(patients, kind="stable")
    starts = np.flatnonzero(np.diff(patients[order], prepend=-1))
    ends = np.append(starts[1:], len(order))
    chosen = [order[s : min(e, s + IMAGES_PER_PATIENT)] for s, e in zip(starts, ends, strict=True)]
    return np.concatenate(chosen)


def _parser() -> argparse.ArgumentParser:
    options = parser("votes", __doc__, data=True)
    options.add_argument("--weights", default="cxr-adult", help="public")
    options.add_argument("--source", default="kermany")
    options.add_argument("--findings", default="normal;bacterial;viral")
    options.add_argument("--teachers", nargs="*", type=int, default=[10, 50, 200])
    options.add_argument("--questions", nargs="*", type=int, default=[100, 400])
    options.add_argument("--epsilons", nargs="*", type=float, default=[1.0, 2.0, 8.0])
    options.add_argument("--seeds", type=int, default=5)
    return options


if __name__ == "__main__":
    main()
