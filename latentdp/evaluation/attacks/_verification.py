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
from latentdp.metrics.verification import VerificationScores, verify
from latentdp.reports.result_detail import Detail
from latentdp.reports.results import Impostors, Outcome

__all__ = ["HARD", "best_of_joined", "verified", "verified_jointly"]

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
    outcomes = []
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
            outcomes += _outcomes(
                name, scene, f"private against {reference}, {words}", pairs, reached, ceiling
            )
    return outcomes


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
    ceiling = _ceiling_of_joined(scene)
    outcomes = []
    for words, cells in ((HARD, cohort.cells), (ANY, None)):
        pairs = Pairs.of_left_out(cohort.patients, cells)
        scores = np.stack(
            [(o.private[pairs.probe] * o.real[pairs.reference]).sum(axis=1) for o in together]
        )
        reached = verify(scores, pairs, resamples, summed=summed)
        setting = f"all outputs of a patient against real, {words}"
        outcomes += _outcomes(name, scene, setting, pairs, reached, ceiling)
    return outcomes


def best_of_joined(name: str, scene: ThreatModel, opponents: Sequence[Embedder]) -> list[Outcome]:
    """AUC of the best opponent, against anyone and against those who are alike; both headlines.

    The interval is of the maximum over opponents, taken within each resample.

    Args:
        name: Of the attack.
        scene: Whose target the opponents looked at.
        opponents: Whose private rows are `joined` already.
    """
    cohort = scene.target.cohort
    resamples = Resamples(cohort.patients, scene.effort.resamples, seed=11)
    outcomes = []
    for words, cells in ((ANY, None), (HARD, cohort.cells)):
        pairs = Pairs.of_left_out(cohort.patients, cells)
        scores = np.stack(
            [(o.private[pairs.probe] * o.real[pairs.reference]).sum(axis=1) for o in opponents]
        )
        reached = verify(scores, pairs, resamples)
        patients = len(np.unique(cohort.patients[pairs.probe[pairs.same]]))
        best = widened(reached.best, patients)
        each = {o.name: round(a, 4) for o, a in zip(opponents, reached.auc, strict=True)}
        outcomes.append(
            Outcome(
                attack=name,
                setting=f"all that is released of a patient against real, {words}",
                metric=AUC,
                value=best.value,
                low=best.low if patients >= FEWEST else 0.0,
                high=best.high if patients >= FEWEST else 1.0,
                n=len(pairs),
                patients=patients,
                chance=0.5,
                ceiling=_ceiling_of_joined(scene),
                headline=True,
                detail=Detail(
                    {
                        "each": each,
                        "best": max(each, key=lambda opponent: each[opponent]),
                        "roc": reached.roc,
                    }
                ),
                impostors=Impostors.ANYONE if cells is None else Impostors.ALIKE,
            )
        )
    return outcomes


def _ceiling_of_joined(scene: ThreatModel) -> float | None:
    """Largest AUC from a patient's other outputs; None without a guarantee of them all.

    How many outputs a patient has is no secret: where numbers differ, nothing is bounded.
    """
    counts = np.unique(outputs_joined(scene)[outputs_joined(scene) > 0])
    if scene.guarantee is None or len(counts) != 1:
        return None
    whole = scene.guarantee.compose(*[scene.guarantee] * (int(counts[0]) - 1))
    return whole.verification_ceiling()


def _outcomes(
    name: str,
    scene: ThreatModel,
    setting: str,
    pairs: Pairs,
    reached: VerificationScores,
    ceiling: float | None,
) -> list[Outcome]:
    cohort = scene.target.cohort
    patients = len(np.unique(cohort.patients[pairs.probe[pairs.same]]))
    several = len(reached.auc) > 1
    hard = setting.endswith(HARD)

    def outcome(
        metric: Metric, interval: Estimate, *, headline: bool = False, **detail: object
    ) -> Outcome:
        interval = widened(interval, patients)
        return Outcome(
            attack=name,
            setting=setting,
            metric=metric,
            value=interval.value,
            # Resamples of very few people hardly differ: then nothing is known.
            low=interval.low if patients >= FEWEST else 0.0,
            high=interval.high if patients >= FEWEST else 1.0,
            n=len(pairs),
            patients=patients,
            chance=0.5,
            ceiling=None if metric is EER else ceiling,
            headline=headline,
            detail=Detail(detail),
            impostors=Impostors.ALIKE if hard else Impostors.ANYONE,
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
