"""Who was learnt from? Attacks on shadow releases, beside what the guarantee allows at most.

For each patient and each thing to look at, half of the shadows tell how it looks with them and
without; the others are then judged by the likelihood ratio of two Gaussians (LiRA, Carlini et al.
2022, arXiv 2112.03570, online, with variances pooled and differences shrunk, as there are few
shadows). An attacker with one generator and no shadows compares the density of what it draws with
that of the population (DOMIAS, van Breugel et al. 2023, arXiv 2302.12580).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentdp.metrics.bootstrap import Estimate, Resamples, auc, estimate
from latentdp.metrics.definitions.membership import CAUGHT, RATES
from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.linkage import widened
from latentdp.metrics.membership import (
    FEWEST_ALARMS,
    Detection,
    auc_ceiling,
    detected,
    detection_ceiling,
)
from latentdp.metrics.metric import Metric
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation
from latentdp.reports.results import Outcome
from latentdp.synthesis.evaluation.shadows import DrawnDensity, ShadowReleases, members_of
from latentdp.synthesis.vectors import PatientImages, patient_means

__all__ = ["ATTACK", "likelihood_ratios", "on_release", "on_shadows", "too_few"]

Matrix = NDArray[np.float64]

ATTACK = "membership in the cohort"
WORDS = {
    "statistics": "shadows, by the released sums (least squares of all coins)",
    "generator": "shadows, by the generator's density (LiRA)",
    "head": "shadows, by the head (LiRA)",
    "together": "shadows, by all of these together (LiRA)",
    "drawn": "shadows, by the density of drawn latents (DOMIAS)",
}
ALONE = ("statistics", "drawn")  # what needs no shadows to be read
FEWEST_EACH = 3  # shadows with a patient, and without


def on_shadows(shadows: ShadowReleases, *, mu: float, delta: float, seed: int) -> list[Outcome]:
    """What every attacker reaches, beside the ceiling.

    Args:
        shadows: The second half of them is attacked, by what the first half tells.
        mu: Claimed of everything that is released, under add-remove.
        delta: With which the claim may fail: that of the names of findings.
        seed: Of the bootstrap.
    """
    half = len(shadows.member) // 2
    member = shadows.member[half:]
    scores = {
        name: likelihood_ratios(values[:half], shadows.member[:half], values[half:])
        for name, values in shadows.seen.items()
        if name != "drawn"
    }
    scores["together"] = np.sum(list(scores.values()), axis=0)
    scores |= {name: shadows.seen[name][half:] for name in ALONE if name in shadows.seen}
    return [
        Outcome.of(
            value,
            attack=ATTACK,
            setting=WORDS[name],
            metric=metric,
            n=found.members + found.others,
            patients=shadows.member.shape[1],
            chance=chance,
            ceiling=min(1.0, ceiling + delta),
            headline=name in ("statistics", "together", "drawn"),
            detail={"note": f"{half} shadow releases to learn from, {len(member)} to judge"},
        )
        for name, values in scores.items()
        for found in (detected(values, member, RATES, seed),)
        for metric, value, chance, ceiling in _numbers(found, mu)
    ]


def too_few(shadows: ShadowReleases) -> str:
    """Which rates cannot be measured on so few, in words; empty if all can."""
    others = int((~shadows.member[len(shadows.member) // 2 :]).sum())
    missing = [f"{100 * rate:g} %" for rate in RATES if rate * others < FEWEST_ALARMS]
    if not missing:
        return ""
    return (
        f"detection at {' and '.join(missing)} false alarms needs {FEWEST_ALARMS} of them; there "
        f"are {others:,} decisions about others"
    )


def likelihood_ratios(
    values: Matrix, member: NDArray[np.bool_], judged: Matrix
) -> NDArray[np.float64]:
    """Log ratios ``(t, p)`` of being a member.

    Args:
        values: ``(s, p)`` what is seen of each patient in shadows that are known.
        member: ``(s, p)`` who was a member of these.
        judged: ``(t, p)`` what is seen in others.
    """
    inside, outside = (_Moments.of(values, side) for side in (member, ~member))
    counts = inside.count + outside.count
    known = np.minimum(inside.count, outside.count) >= FEWEST_EACH
    if not known.any():
        return np.zeros(judged.shape)
    variance = (inside.squares + outside.squares) / np.maximum(counts - 2, 1)
    variance = np.maximum(variance, np.finfo(np.float64).tiny)
    error = variance * (1 / np.maximum(inside.count, 1) + 1 / np.maximum(outside.count, 1))
    gap = _shrunk(inside.mean - outside.mean, error, known)
    # Halfway between both means, which are a gap apart around the mean of all.
    whole = (inside.count * inside.mean + outside.count * outside.mean) / counts
    middle = whole + gap * (outside.count - inside.count) / (2 * counts)
    return np.asarray(np.where(known, gap * (judged - middle) / variance, 0.0))


def on_release(
    drawn: Matrix, cohort: PatientImages, others: PatientImages, seed: int
) -> list[Outcome]:
    """DOMIAS on the release itself: its cohort against other patients.

    Half of the others are the attacker's reference and are not judged. There is no ceiling: if
    the others are of another kind than the cohort, they are told apart without any leak.

    Args:
        drawn: ``(n, m)`` latents that the released generator draws.
        cohort: Its patients: **private**.
        others: Other patients: **private**.
        seed: Of the halves and the bootstrap.
    """
    count = int(others.patients.max()) + 1
    half = permutation(SeededNoise(seed), count) * 2 < count
    if half.all():
        return []
    known, judged = (members_of(others, side) for side in (half, ~half))
    reference, density = DrawnDensity.of(known.latents), DrawnDensity.of(drawn)
    scores = [
        patient_means((density(z) - reference(z))[:, None], who)[:, 0]
        for z, who in (
            (cohort.latents, cohort.patients),
            (judged.latents, judged.patients),
        )
    ]
    member = np.repeat([True, False], [len(side) for side in scores])
    weights = Resamples(np.arange(len(member)), seed=seed).counts
    value = estimate(auc(np.concatenate(scores), member, weights))
    if value is None:
        return []
    fewer = min(map(len, scores))
    return [
        Outcome.of(
            widened(value, fewer),
            attack=ATTACK,
            setting="this release, by the density of drawn latents (DOMIAS)",
            metric=AUC,
            n=len(member),
            patients=len(member),
            chance=0.5,
            headline=True,
            detail={"note": "others of another kind are told apart without any leak"},
        )
    ]


def _numbers(found: Detection, mu: float) -> Iterator[tuple[Metric, Estimate, float, float]]:
    """Metric, value, chance and ceiling."""
    if found.auc is not None:
        yield AUC, found.auc, 0.5, auc_ceiling(mu)
    for rate, caught in found.caught.items():
        if caught is not None:
            yield CAUGHT[rate], caught, rate, detection_ceiling(rate, mu)


@dataclass(frozen=True)
class _Moments:
    """Of what is seen of each patient ``(p,)`` on one side: how often, mean, squares around it."""

    count: NDArray[np.float64]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, values: Matrix, side: NDArray[np.bool_]) -> _Moments:
        count = side.sum(axis=0).astype(np.float64)
        mean = np.where(side, values, 0.0).sum(axis=0) / np.maximum(count, 1)
        return cls(count, mean, np.where(side, (values - mean) ** 2, 0.0).sum(axis=0))


def _shrunk(gap: Matrix, error: Matrix, judged: NDArray[np.bool_]) -> Matrix:
    """Differences of each patient, moved towards their mean as far as their error explains."""
    scale = np.sqrt(error)
    units = gap / scale  # patients whose looks vary more are not thereby more telling
    common = float(units[judged].mean())
    spread = float(units[judged].var())
    kept = max(0.0, 1 - 1 / spread) if spread > 0 else 0.0
    return np.asarray(scale * (common + kept * (units - common)))
