"""What the coordinator, a curious site and others make of what a hospital shares.

    python benchmarks/sharing.py DATA [--weights cxr-adult] [--source kermany] [--epsilon 2]
        [--targets 50] [--gallery 100] [--steps 200] [--latent-steps 40] [--members 300]
        [--sites 30 300 3000] [--curious 300] [--games 3]
        [--ask inversion membership property class] [--seed 0] [--state FOLDER] [--json FILE]

DATA is a folder with manifest.csv. Patients of the training split of one source, one image of
each, are a site's. Plain federated averaging sends one gradient, of a small network or of a
linear head; DP-SGD the same clipped, with noise that spends all of epsilon on that one step; the
one-round file is that of `latentdp federate share`. Each is attacked by the plug-ins of
`latentdp.federation.attacks`, and the class that only one site has by a curious site that takes
part in 60 rounds. Noise comes from seeds; epsilon is that of a patient, replace-one, delta 1e-5.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from _curious_site import ROUNDS, THEIRS, Drawn, in_rounds, of_class
from _harness import Report, parse, parser, progress
from _results import Column, Interval
from _shared_ways import DELTA, SharedWays
from numpy.typing import NDArray

from latentdp.core import plugins
from latentdp.core.cache import ResultCache
from latentdp.core.progress import silent
from latentdp.federation.attacks.base import SharingScene, SitePeople
from latentdp.federation.attacks.property_of_site import site_auc
from latentdp.metrics.bootstrap import Resamples, auc, estimate
from latentdp.metrics.definitions.identification import RANK_1
from latentdp.metrics.definitions.leakage import V_INFORMATION
from latentdp.metrics.definitions.likeness import SSIM
from latentdp.metrics.definitions.membership import CAUGHT, RATES
from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.linkage import widened
from latentdp.metrics.metric import Metric
from latentdp.metrics.v_information import side_bits
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.reports.results import Outcome
from latentdp.synthesis.comparison.cohort import ComparedCohort
from latentdp.synthesis.learn import Learner
from latentdp.synthesis.methods.gaussian import FindingGaussians
from latentdp.synthesis.public import thumbnails

SHADOWS = 80
DRAWN = 200
ASKED = ("inversion", "membership", "property", "class")
COLUMNS = (
    Column("what is shared", "{way}"),
    Column("patients", "{patients:,}"),
    Column("attack", "{attack}"),
    Column("asks", "{asks}"),
    Column("reached", "{value:.3f| to }", bare=True),
    Column("guessing", "{chance:.3f}", bare=True),
    Column("ceiling", "{ceiling:.3f}", bare=True),
    Column("bits found", "{bits:.3f| to }"),
    Column("bits, any reader", "{bits_ceiling:.3f}"),
)
ASKS: dict[Metric, str] = {
    RANK_1: "named first of {gallery}",
    CAUGHT[RATES[0]]: "in the sum? found at 1 % false alarms",
}
Weights = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one attack reached.

    Attributes:
        way: Of sharing.
        patients: In the sum whom the attacker does not know, or of the site.
        attack: Its name.
        asks: What exactly, and what the number is.
        value: That number, with its interval.
        chance: What guessing gives.
        ceiling: The most that the noise allows; None without one.
        bits: What readers of the attack's family find; None where that was not asked.
        bits_ceiling: What readers of any family find at most; None without noise.
        likeness: SSIM of what was rebuilt with the original; None where nothing was.
        area: AUC of members; None where that was not asked.
        seconds: How long the attack took.
    """

    way: str
    patients: int
    attack: str
    asks: str
    value: Interval
    chance: float
    ceiling: float | None = None
    bits: Interval | None = None
    bits_ceiling: float | None = None
    likeness: Interval | None = None
    area: Interval | None = None
    seconds: float

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], way: str, patients: int, seconds: float) -> Row:
        """From what an attack of the library found."""
        (main,) = (outcome for outcome in outcomes if outcome.metric in ASKS)
        by_metric = {outcome.metric: outcome for outcome in outcomes}
        bits = by_metric.get(V_INFORMATION)
        value = _interval(main)
        assert value is not None
        assert main.chance is not None
        return cls(
            way=way,
            patients=patients,
            attack=main.attack.replace("_", " "),
            asks=ASKS[main.metric].format(gallery=main.detail.gallery),
            value=value,
            chance=main.chance,
            ceiling=main.ceiling,
            bits=_interval(bits),
            bits_ceiling=None if bits is None else bits.ceiling,
            likeness=_interval(by_metric.get(SSIM)),
            area=_interval(by_metric.get(AUC)),
            seconds=round(seconds, 1),
        )


def _interval(outcome: Outcome | None) -> Interval | None:
    if outcome is None or outcome.value is None:
        return None
    return Interval(outcome.value, outcome.low, outcome.high)


def inverted(bench: SharedWays, options: argparse.Namespace) -> Iterator[Row]:
    """Whose original is recognised?"""
    site = bench.people(bench.lot[: 2 * options.gallery])
    several = {"FedAvg, linear head": 8, "one-round file": options.gallery,
               "one-round file, without its noise": options.gallery}  # fmt: skip
    for way, shared in bench.ways().items():
        searched = way.endswith("small network")
        for together in (1, *([several[way]] if way in several else ())):
            for name in ("exact_inversion", "pixel_inversion", "latent_inversion"):
                attack = plugins.load("sharing attacks", name).attack
                latent = name == "latent_inversion"
                scene = SharingScene(
                    shared=shared, site=site, flow=bench.flow, traits={}, seed=options.seed,
                    targets=options.targets if searched else options.gallery,
                    gallery=options.gallery, together=together,
                    steps=options.latent_steps if latent else options.steps,
                )  # fmt: skip
                if attack.unavailable_reason(scene) is not None or _needless(way, name):
                    continue
                began = time.monotonic()
                found = attack.run(scene, silent)
                yield Row.of(found, way, together, time.monotonic() - began)


def _needless(way: str, attack: str) -> bool:
    """A linear head needs no search: the formula is exact, and with noise it finds no less."""
    return way.endswith("linear head") and attack != "exact_inversion"


def membership(bench: SharedWays, options: argparse.Namespace) -> Iterator[Row]:
    """Who is in a sum?"""
    site = bench.people(bench.lot[: options.members])
    attack = plugins.load("sharing attacks", "membership_of_sums").attack
    for way, shared in bench.ways().items():
        scene = SharingScene(
            shared=shared, site=site, flow=bench.flow, traits={}, seed=bench.seed,
            shadows=SHADOWS,
        )  # fmt: skip
        began = time.monotonic()
        found = attack.run(scene, silent)
        yield Row.of(found, way, site.count, time.monotonic() - began)


def properties(bench: SharedWays, options: argparse.Namespace) -> Iterator[Row]:
    """Has a larger or smaller part of a site a trait?"""
    ill = bench.shown("pneumonia")
    everyone = (bench.lot, ("normal", "pneumonia"), ill, "pneumonia, a finding that is shared")
    of_ill = (
        bench.lot[ill[bench.lot]],
        ("pneumonia",),
        bench.shown("bacterial"),
        "bacterial, which is not told",
    )
    for who, names, trait, said in (everyone, of_ill):
        site = bench.people(who, names)
        for way, shared in {
            "FedAvg, linear head": bench.head(None, len(names)),
            "DP-SGD, linear head": bench.head(bench.step, len(names)),
            "one-round file": bench.file(len(names)),
        }.items():
            scene = SharingScene(
                shared=shared, site=site, flow=bench.flow, traits={}, seed=bench.seed
            )
            records = shared.integers(shared.records(site))
            for patients in options.sites:
                began = time.monotonic()
                scores, many = site_auc(scene, records, trait[who], patients)
                weights = Resamples(np.arange(len(many)), seed=bench.seed).counts
                area = estimate(auc(scores, many, weights))
                assert area is not None
                value = Interval.of(widened(area, len(many)))
                assert value is not None
                yield Row(
                    way=way,
                    patients=patients,
                    attack="property of site",
                    asks=f"share of {said}: 60 % or 40 %? AUC",
                    value=value,
                    chance=0.5,
                    bits=Interval.of(side_bits(scores, many, bench.seed)),
                    seconds=round(time.monotonic() - began, 1),
                )


def class_looks(bench: SharedWays, options: argparse.Namespace) -> Iterator[Row]:
    """What does a class look like that only another site has?"""
    lot = bench.lot
    normal = lot[bench.shown("normal")[lot]]
    ill = lot[bench.shown("bacterial")[lot]]
    own = bench.people(normal[:200])
    noisy = NoisySum.calibrate(bench.mu / np.sqrt(ROUNDS))

    def played(theirs: SitePeople | None, mechanism: NoisySum | None) -> Drawn:
        """Several times, as if one attacker had so many identities."""
        games = [
            in_rounds(bench.flow, bench.cohort.public, own, theirs, mechanism, seed)
            for seed in range(bench.seed, bench.seed + options.games)
        ]
        return Drawn(
            before=np.concatenate([game.before for game in games]),
            after=np.concatenate([game.after for game in games]),
        )

    for patients in (0, *options.curious):
        theirs = bench.people(ill[:patients]) if patients else None
        ways = [("rounds without the other site", None)]
        if theirs is not None:
            ways = [("FedAvg, rounds", None), ("DP-SGD, rounds", noisy)]
        for way, mechanism in ways:
            began = time.monotonic()
            drawn = played(theirs, mechanism)
            yield _class_row(bench, way, patients, drawn, time.monotonic() - began)
        if theirs is not None:
            began = time.monotonic()
            drawn = _from_file(bench, theirs)
            yield _class_row(bench, "one-round file", patients, drawn, time.monotonic() - began)


def _from_file(bench: SharedWays, theirs: SitePeople) -> Drawn:
    """What the generator in a site's file draws, and the public flow's own images."""
    method = FindingGaussians(bench.cohort.public, 3)
    learner = Learner(method, bench.plan, declared=True)
    learner.add(of_class(theirs, THEIRS).seen)
    mixture = learner.release(SeededNoise(bench.seed)).mixture
    prior = type(mixture).prior(bench.cohort.public.coarse)
    before, after = (
        bench.flow.decode_valid(one.draw(SeededNoise(bench.seed), DRAWN, bench.flow.d))[0]
        for one in (prior, mixture)
    )
    return Drawn(before, after)


def _class_row(bench: SharedWays, way: str, patients: int, drawn: Drawn, seconds: float) -> Row:
    """How well what was drawn, less what was there before, tells other patients' images."""
    tests = bench.cohort.tests
    ill, well = (tests.findings[:, bench.names.index(n)] for n in ("bacterial", "normal"))
    rows = ill | well
    before, after = (_flat(side).mean(axis=0) for side in (drawn.before, drawn.after))
    scores = _flat(tests.images[rows]) @ (after - before)
    weights = Resamples(tests.patients[rows], seed=bench.seed)
    everyone = np.ones(int(rows.sum()), dtype=np.bool_)
    value = Interval.of(estimate(auc(scores, ill[rows], weights.images(everyone))))
    assert value is not None
    return Row(
        way=way,
        patients=patients,
        attack="drawing from it" if way == "one-round file" else "GAN of a curious site",
        asks="what does bacterial pneumonia look like? AUC of others by it",
        value=value,
        chance=0.5,
        seconds=round(seconds, 1),
    )


def _flat(images: NDArray[np.float32]) -> Weights:
    return thumbnails(images).reshape(len(images), -1) / 255.0


QUESTIONS = dict(zip(ASKED, (inverted, membership, properties, class_looks), strict=True))


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a row for each way to share, attack and number."""
    options = parse(_parser(), arguments)
    flow: Flow = load_flow(options.weights, exact=False)
    cohort = ComparedCohort(flow, options.data, options.source, ResultCache(options.state))
    cohort.latents(progress("sharing"))
    bench = SharedWays(cohort, options.epsilon, options.seed)
    facts = {"epsilon": options.epsilon, "delta": DELTA, "shadow sites": SHADOWS,
             "steps": options.steps, "steps in latents": options.latent_steps}  # fmt: skip
    with Report(options, COLUMNS, facts=facts) as report:
        for question in options.ask:
            for row in QUESTIONS[question](bench, options):
                report.add(row)


def _parser() -> argparse.ArgumentParser:
    options = parser("sharing", __doc__, data=True, state="optional", seed=True)
    options.add_argument("--weights", default="cxr-adult", help="public")
    options.add_argument("--source", default="kermany")
    options.add_argument("--epsilon", type=float, default=2.0)
    options.add_argument("--targets", type=int, default=50)
    options.add_argument("--gallery", type=int, default=100)
    options.add_argument("--steps", type=int, default=200)
    options.add_argument("--latent-steps", type=int, default=40)
    options.add_argument("--members", type=int, default=300)
    options.add_argument("--sites", nargs="*", type=int, default=[30, 300, 3_000])
    options.add_argument("--curious", nargs="*", type=int, default=[300])
    options.add_argument("--games", type=int, default=3, help="of a curious site")
    options.add_argument("--ask", nargs="*", choices=ASKED, default=list(ASKED))
    return options


if __name__ == "__main__":
    main()
