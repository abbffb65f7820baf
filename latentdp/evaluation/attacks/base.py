"""The contract of an attack.

An attack module defines one class and its instance ``attack``. It is given a `ThreatModel`: the
release under attack, other patients whose images the attacker privatized with the same recipe to
practise on, and what is public of the method. It returns `Outcome` rows: a number with its
interval, how many it rests on, what chance gives, and the ceiling that the claimed epsilon
implies. An outcome that lies far above its ceiling refutes the claim.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from numpy.typing import NDArray

from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.linkage import matched
from latentdp.reports.results import Outcome

__all__ = ["Attack"]


class Attack(ABC):
    """One way to attack.

    Attributes:
        name: Of the plug-in; the name of its module.
        title: What the attacker does, in a line.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """Why the attack cannot be made on this scene, in a few words; None if it can."""
        return None

    @abstractmethod
    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """Attacks.

        Args:
            scene: Not changed.
            tell: Progress.
        """

    def linked(
        self,
        scene: ThreatModel,
        scores: NDArray[Any],
        rows: NDArray[Any],
        setting: str,
        *,
        copies: int = 1,
        headline: bool = False,
        detail: dict[str, Any] | None = None,
    ) -> list[Outcome]:
        """Rank-1 and AUC of finding the originals of private target images.

        Args:
            scene: Its target's originals are the candidates.
            scores: ``(p, n)`` of p private images against all n originals; larger is likelier.
            rows: ``(p,)`` where the originals of the p are.
            setting: Of the outcomes, likewise ``headline`` (of the rank-1) and ``detail``.
            copies: Releases of each image that the attacker put together.
            headline: Whether the rank-1 belongs in the summary.
            detail: Of both.
        """
        n, patients = scores.shape[1], scene.target.cohort.patients[rows]
        found = matched(scores, rows, patients, resamples=scene.effort.resamples, seed=scene.seed)
        whole = scene.guarantee
        if whole is not None:
            whole = whole.compose(*[whole] * (copies - 1))
        return [
            Outcome(
                attack=self.name,
                setting=setting,
                metric=metric,
                value=value.value,
                low=value.low,
                high=value.high,
                n=len(rows),
                patients=len(set(patients.tolist())),
                chance=chance,
                ceiling=ceiling,
                headline=headline and metric == "rank-1",
                detail={"gallery": n} | (detail or {}),
            )
            for metric, value, chance, ceiling in (
                ("rank-1", found.first, 1 / n, whole.gallery_ceiling(n) if whole else None),
                ("auc", found.area, 0.5, whole.verification_ceiling() if whole else None),
            )
        ]
