"""The best of several opponents who look for probes in a gallery, as outcomes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.bootstrap import Resamples, estimate, mean, share
from latentdp.metrics.definitions.identification import MAP_AT_R, RANK_10
from latentdp.metrics.identification import Hits
from latentdp.metrics.metric import Metric
from latentdp.privacy.guarantee import Guarantee
from latentdp.reports.results import Outcome

__all__ = ["searched"]

Matrix = NDArray[np.float64]


def searched(
    name: str,
    scene: ThreatModel,
    setting: str,
    hits: Sequence[tuple[str, Hits]],
    *,
    rank: Metric,
    joined: NDArray[np.int64] | None = None,
) -> list[Outcome]:
    """Rank-1, rank-10 and mAP@R of the opponent who names most first, and the CMC curve.

    The interval of rank-1 is of the maximum over opponents, taken within each resample.

    Args:
        name: Of the attack.
        scene: Whose target was searched.
        setting: For the outcomes.
        hits: Of each opponent, by name; all on the same probes.
        rank: What to be named first is called here.
        joined: ``(n,)`` how many outputs the probe of each image takes together; None for one.
    """
    cohort = scene.target.cohort
    outputs = np.ones(len(cohort), dtype=np.int64) if joined is None else joined
    resamples = Resamples(cohort.patients, scene.effort.resamples, seed=11)
    probes = hits[0][1].probes
    weights = resamples.of(probes)
    firsts = np.stack([mean(h.first(), weights) for _, h in hits])
    who, best = hits[int(np.argmax(firsts[:, 0]))]
    each = {
        opponent: round(float(row[0]), 4) for (opponent, _), row in zip(hits, firsts, strict=True)
    }

    def outcome(metric: Metric, values: Matrix, k: int | None, **detail: object) -> Outcome:
        patients = len(np.unique(cohort.patients[probes]))
        interval = estimate(values) if k is None else share(values, patients)
        assert interval is not None
        return Outcome.of(
            interval,
            attack=name,
            setting=setting,
            metric=metric,
            n=len(probes),
            patients=patients,
            chance=None if k is None else min(1.0, k * float(best.right.mean()) / best.gallery),
            ceiling=None if k is None else _ceiling(scene.guarantee, best, k, outputs),
            headline=k == 1,
            detail={"gallery": best.gallery, "best": who} | detail,
        )

    outcomes = [
        outcome(rank, firsts.max(axis=0), 1, each=each, cmc=best.cmc(resamples)),
        outcome(RANK_10, mean(best.within(10), weights), 10),
    ]
    if best.right.max() > 1:
        outcomes.append(outcome(MAP_AT_R, mean(best.precision, weights), None))
    return outcomes


def _ceiling(
    guarantee: Guarantee | None, hits: Hits, k: int, outputs: NDArray[np.int64]
) -> float | None:
    """Largest expected share of probes whose right answer is among the k named.

    Whatever outputs are, the k images named are right for at most k R of n equally likely
    probes, where R is the largest number of right answers. Where images of the probe's own patient
    are taken out of its gallery, the next ones fill their places, and each may be right for one
    probe more. The share of these probes in what produces an output is largest if each is
    exp(epsilon) times likelier to than the others; epsilon is that of all outputs that a probe
    joins. How many they are is no secret, so that probes are held against those with as many.

    Args:
        guarantee: Of one output.
        hits: Of the search.
        k: Images that are named.
        outputs: ``(n,)`` how many outputs the probe of each image joins.
    """
    if guarantee is None:
        return None
    right = k * int(hits.right.max()) + hits.left_out
    ceilings = 0.0
    for count, probes in zip(*np.unique(outputs[hits.probes], return_counts=True), strict=True):
        whole = guarantee.compose(*[guarantee] * (int(count) - 1))
        odds = float(np.exp(min(whole.epsilon, 700.0)))
        others = max(0, int(probes) - right)
        ceilings += probes * min(1.0, right * odds / (right * odds + others) + whole.delta)
    return float(ceilings / len(hits.probes))
