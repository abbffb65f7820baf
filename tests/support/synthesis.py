"""What every method of synthesis must do, as functions that say what is wrong, if anything is.

They see a method and the sum that it is released by from outside. The same functions are run on
broken ones, which they must catch. A law with chance alarms falsely once in a million.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.synthesis.methods.base import SynthesisMethod
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.statistics import CohortSum, NoisyStatistics
from latentdp.synthesis.vectors import PatientImages

COARSE, SIDE, FINDINGS = 32, 4, 3
ALARM = 1e-6
RELEASES = 400
MECHANISM = NoisySum(grid=4096, scale=9000.0)
QUIET = NoisySum(grid=4096, scale=1.0)
CORNERS = (0.0, 1.0, -1.0, 5.0, 1e3, -1e200, np.nan, np.inf)


def public() -> PublicModel:
    samples = np.random.default_rng(1).integers(0, 256, (40, SIDE, SIDE), dtype=np.uint8)
    return PublicModel(coarse=COARSE, samples=samples, render=render, pull_back=pull_back)


def render(latents: np.ndarray) -> np.ndarray:
    """The flow of the made-up world: a pixel is brighter by 30 where its latent is larger by 1."""
    pixels = 128 + 30 * latents[:, : SIDE**2].reshape(-1, SIDE, SIDE)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def patients(images: list[int], seed: int, *, corner: float | None = None) -> PatientImages:
    """Made-up patients with so many images each; at a corner all latents are one value."""
    rng = np.random.default_rng(seed)
    n = sum(images)
    latents = rng.normal(size=(n, COARSE)) * 10.0 ** rng.uniform(-2, 3, (n, 1))
    if corner is not None:
        latents[:] = corner
    findings = rng.random((n, FINDINGS)) < rng.choice([0.0, 0.3, 1.0])
    return PatientImages(
        latents=latents,
        thumbnails=rng.integers(0, 256, (n, SIDE, SIDE), dtype=np.uint8),
        findings=findings,
        read=findings.any(axis=1) | (rng.random(n) < 0.5),
        patients=np.repeat(np.arange(len(images)), images),
    )


def pull_back(latents: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """That of `render`."""
    pulled = np.zeros_like(latents)
    pulled[:, : SIDE**2] = 30 * gradients.reshape(len(latents), -1)
    return pulled


@dataclass(frozen=True)
class Learner:
    """A method, and how its sums are released.

    Attributes:
        method: Its class.
        adder: Adds records and releases their noisy sum.
        mechanism: The noise.
    """

    method: type[SynthesisMethod]
    adder: type[CohortSum] = CohortSum
    mechanism: NoisySum = MECHANISM

    def make(self) -> SynthesisMethod:
        return self.method(public(), FINDINGS)

    def total(self, cohort: list[PatientImages]) -> np.ndarray:
        """The integers before the noise."""
        method = self.make()
        integers = [self.mechanism.quantise(method.records(part)) for part in cohort]
        return np.sum([part.sum(axis=0) for part in integers], axis=0)

    def release(
        self, cohort: list[PatientImages], seed: int
    ) -> tuple[NoisyStatistics, SynthesisMethod]:
        method = self.make()
        adder = self.adder(method.blocks, self.mechanism)
        for part in cohort:
            adder.add(method.records(part))
        return adder.release(SeededNoise(seed)), method


Law = Callable[[Learner], str]


def one_patient_moves_the_sum_by_what_is_stated(
    learner: Learner, images: int, others: list[int], seed: int, corner: float | None
) -> str:
    rest = patients(others, seed)
    one, instead = (patients([images], seed + i, corner=corner) for i in (1, 2))
    if corner is not None:
        instead = patients([images], seed + 2, corner=-corner)
    total = learner.total([rest, one])
    for relation, neighbour in (
        (Relation.ADD_REMOVE, learner.total([rest])),
        (Relation.REPLACE_ONE, learner.total([rest, instead])),
    ):
        moved = float(np.linalg.norm(total - neighbour))
        if moved > learner.mechanism.sensitivity(relation):
            return f"{relation}: the sum moves by {moved}"
    return ""


def a_record_follows_one_patient_alone(learner: Learner) -> str:
    parts = [patients([2], 5), patients([1], 6), patients([7], 7)]
    together = PatientImages(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("latents", "thumbnails", "findings", "read")
        },
        patients=np.repeat([0, 1, 2], [2, 1, 7]),
    )
    method = learner.make()
    alone = np.concatenate([learner.make().records(part) for part in parts])
    return "" if np.array_equal(method.records(together), alone) else "mates change a record"


def the_fit_follows_the_noisy_sums_alone(learner: Learner) -> str:
    """Whoever was in the cohort, equal sums give an equal generator."""
    learner = replace(learner, mechanism=QUIET)  # or small cohorts leave the prior as it is
    statistics, one = learner.release([patients([1, 2, 3], 8)], 0)
    _, other = learner.release([patients([1] * 50, 9)], 0)
    known = np.ones(FINDINGS + 1, dtype=bool)
    fits = [method.fit(statistics, known) for method in (one, other)]
    same = all(
        np.array_equal(getattr(fits[0], name), getattr(fits[1], name))
        for name in ("weights", "means", "deviations")
    )
    return "" if same else "the generator knows something else of the cohort"


def unknown_findings_are_not_touched(learner: Learner) -> str:
    """Whatever stands in the sums of a finding that may not be told, the generator is the same."""
    learner = replace(learner, mechanism=QUIET)
    statistics, method = learner.release([patients([1, 2, 3], 8)], 0)
    known = np.array([True, False, True, True])
    before = method.fit(statistics, known)
    statistics.counts.sums[1] += 1_000
    statistics.blocks[1].sums[1] += 1_000
    for block, own in zip(statistics.blocks[2:], method.moments, strict=True):
        if own.by_finding:
            block.sums.reshape(FINDINGS + 1, -1)[1] += 1_000
    after = method.fit(statistics, known)
    return "" if np.array_equal(before.means, after.means) else "an unknown finding shows"


def _noise(learner: Learner) -> np.ndarray:
    """Noise of all entries in many releases, in stated deviations ``(releases, entries)``."""
    cohort = [patients([1, 3], 10)]
    exact = learner.total(cohort) / learner.mechanism.grid
    blocks = learner.make().blocks
    units = np.concatenate([np.full(b.size, b.bound / b.share) for b in blocks])
    rows = []
    for seed in range(RELEASES):
        statistics, _ = learner.release(cohort, seed)
        sums = np.concatenate([block.sums for block in statistics.blocks])
        deviation = np.concatenate([np.full(b.size, s.deviation) for b, s in
                                    zip(blocks, statistics.blocks, strict=True)])  # fmt: skip
        rows.append((sums - exact * units) / deviation)
    return np.stack(rows)


def every_entry_has_the_stated_noise(learner: Learner) -> str:
    """Chi-square of each entry's variance, of all at a false-alarm rate of 1e-6 together."""
    noise = _noise(learner)
    energy = (noise**2).sum(axis=0)
    low, high = stats.chi2.ppf([ALARM / (2 * noise.shape[1]), 1 - ALARM / (2 * noise.shape[1])],
                               RELEASES)  # fmt: skip
    return "" if low < energy.min() and energy.max() < high else "an entry has other noise"


def noise_is_fresh_for_every_entry(learner: Learner) -> str:
    """Correlations of entries over releases, all together at a false-alarm rate of 1e-6."""
    noise = _noise(learner)
    correlation = np.corrcoef(noise + 1e-12 * np.arange(RELEASES)[:, None], rowvar=False)
    pairs = correlation[np.triu_indices_from(correlation, 1)]
    limit = -stats.norm.ppf(ALARM / (2 * len(pairs))) / np.sqrt(RELEASES - 3)
    return "" if np.abs(np.arctanh(np.clip(pairs, -1 + 1e-12, 1 - 1e-12))).max() < limit else (
        "two entries share their noise"
    )  # fmt: skip


LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        a_record_follows_one_patient_alone,
        the_fit_follows_the_noisy_sums_alone,
        unknown_findings_are_not_touched,
        every_entry_has_the_stated_noise,
        noise_is_fresh_for_every_entry,
    )
}
