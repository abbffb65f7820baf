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
) -> list[Outcome]:
    """Rank-1, rank-10 and mAP@R of the opponent who names most first, and the CMC curve.

    The interval of rank-1 is of the maximum over opponents, taken within each resample.

    Args:
        name: Of the attack.
        scene: Whose target was searched.
        setting: For the outcomes.
        hits: Of each opponent, by name; all on the same probes.
        rank: What to be named first is called here.
    """
    cohort = scene.target.cohort
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
        found = estimate(values) if k is None else share(values, patients)
        assert found is not None
        return Outcome.of(
            found,
            attack=name,
            setting=setting,
            metric=metric,
            n=len(probes),
            patients=patients,
            chance=None if k is None else min(1.0, k * float(best.right.mean()) / best.gallery),
            ceiling=None if k is None else _ceiling(scene.guarantee, best, k),
            headline=k == 1,
            detail={"gallery": best.gallery, "best": who} | detail,
        )

    found = [
        outcome(rank, firsts.max(axis=0), 1, each=each, cmc=best.cmc(resamples)),
        outcome(RANK_10, mean(best.within(10), weights), 10),
    ]
    if best.right.max() > 1:
        found.append(outcome(MAP_AT_R, mean(best.precision, weights), None))
    return found


def _ceiling(guarantee: Guarantee | None, hits: Hits, k: int) -> float | None:
    """Largest expected share of probes whose right answer is among the k named.

    Whatever an output is, the k images named are right for at most k R of n equally likely
    probes, where R is the largest number of right answers. Where a probe's own image is taken out
    of its gallery, the next one fills its place, and that may be right for one probe more. The
    share of these probes in what produces an output is largest if each is exp(epsilon) times
    likelier to than the others.
    """
    if guarantee is None:
        return None
    odds = float(np.exp(min(guarantee.epsilon, 700.0)))
    right = k * int(hits.right.max()) + hits.left_out
    others = max(0, len(hits.probes) - right)
    return min(1.0, right * odds / (right * odds + others) + guarantee.delta)
