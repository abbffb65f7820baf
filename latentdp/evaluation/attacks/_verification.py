"""Verification of a scene by one or several opponents, as outcomes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from latentdp.evaluation.attacks._embedders import Embedder
from latentdp.evaluation.attacks._joint import joined, outputs_joined
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.bootstrap import Estimate, Resamples
from latentdp.metrics.definitions.verification import AUC, AUC_MAX, AUC_MEAN, EER
from latentdp.metrics.linkage import widened
from latentdp.metrics.metric import Metric
from latentdp.metrics.pairs import Pairs
from latentdp.metrics.verification import Verification, verify
from latentdp.reports.results import Detail, Outcome

__all__ = ["HARD", "verified", "verified_jointly"]

HARD = "impostors of the same source, view and sex"
ANY = "any impostors"
FEWEST = 5  # patients with several images, for an interval


def verified(
    name: str, scene: ThreatModel, opponents: Sequence[Embedder], *, summed: bool = False
) -> list[Outcome]:
    """AUC and EER of (private, real) and (private, private) pairs, against hard and any impostors.

    Args:
        name: Of the attack.
        scene: Whose target the opponents looked at.
        opponents: With several, mean and maximum are told apart.
        summed: The last of them is the others together, and no restart.
    """
    cohort = scene.target.cohort
    ceiling = None if scene.guarantee is None else scene.guarantee.verification_ceiling()
    resamples = Resamples(cohort.patients, scene.effort.resamples, seed=11)
    found = []
    for reference in ("real", "private"):
        for words, cells in ((HARD, cohort.cells), (ANY, None)):
            pairs = Pairs.of(cohort.patients, cells)
            scores = np.stack(
                [
                    (o.private[pairs.probe] * getattr(o, reference)[pairs.reference]).sum(axis=1)
                    for o in opponents
                ]
            )
            reached = verify(scores, pairs, resamples, summed=summed)
            found += _outcomes(
                name, scene, f"private against {reference}, {words}", pairs, reached, ceiling
            )
    return found


def verified_jointly(
    name: str, scene: ThreatModel, opponents: Sequence[Embedder], *, summed: bool = False
) -> list[Outcome]:
    """AUC and EER of all of a patient's outputs but one against that one's original.

    Args:
        name: Of the attack.
        scene: Whose target the opponents looked at; it must be `worth_joining`.
        opponents: With several, mean and maximum are told apart.
        summed: The last of them is the others together, and no restart.
    """
    cohort = scene.target.cohort
    together = [joined(scene, opponent) for opponent in opponents]
    resamples = Resamples(cohort.patients, scene.effort.resamples, seed=11)
    counts = np.unique(outputs_joined(scene)[outputs_joined(scene) > 0])
    ceiling = None
    if scene.guarantee is not None and len(counts) == 1:
        # How many outputs a patient has is no secret: with different numbers nothing is bounded.
        whole = scene.guarantee.compose(*[scene.guarantee] * (int(counts[0]) - 1))
        ceiling = whole.verification_ceiling()
    found = []
    for words, cells in ((HARD, cohort.cells), (ANY, None)):
        pairs = Pairs.of_left_out(cohort.patients, cells)
        scores = np.stack(
            [(o.private[pairs.probe] * o.real[pairs.reference]).sum(axis=1) for o in together]
        )
        reached = verify(scores, pairs, resamples, summed=summed)
        setting = f"all outputs of a patient against real, {words}"
        found += _outcomes(name, scene, setting, pairs, reached, ceiling)
    return found


def _outcomes(
    name: str,
    scene: ThreatModel,
    setting: str,
    pairs: Pairs,
    reached: Verification,
    ceiling: float | None,
) -> list[Outcome]:
    cohort = scene.target.cohort
    patients = len(np.unique(cohort.patients[pairs.probe[pairs.same]]))
    several = len(reached.auc) > 1
    hard = setting.endswith(HARD)

    def outcome(
        metric: Metric, found: Estimate, *, headline: bool = False, **detail: object
    ) -> Outcome:
        found = widened(found, patients)
        return Outcome(
            attack=name,
            setting=setting,
            metric=metric,
            value=found.value,
            # Resamples of very few people hardly differ: then nothing is known.
            low=found.low if patients >= FEWEST else 0.0,
            high=found.high if patients >= FEWEST else 1.0,
            n=len(pairs),
            patients=patients,
            chance=0.5,
            ceiling=None if metric is EER else ceiling,
            headline=headline,
            detail=Detail(detail),
        )

    curve = {"roc": reached.roc, "positive_pairs": int(pairs.same.sum())}
    eer = outcome(EER, reached.eer)
    if not several:
        return [outcome(AUC, reached.best, headline=hard, **curve), eer]
    restarts = {"restarts": [round(a, 4) for a in reached.auc[: reached.restarts]]}
    if len(reached.auc) > reached.restarts:
        restarts["together"] = [round(a, 4) for a in reached.auc[reached.restarts :]]
    return [
        outcome(AUC_MEAN, reached.mean, headline=hard, **restarts),
        outcome(AUC_MAX, reached.best, headline=hard, **restarts, **curve),
        eer,
    ]
