"""The contract of an attack.

An attack module defines one class and its instance ``attack``. It is given a `ThreatModel`: the
release under attack, other patients whose images the attacker privatized with the same recipe to
practise on, and what is public of the method. It returns `Outcome` rows: a number with its
interval, how many it rests on, what chance gives, and the ceiling that the claimed epsilon
implies. An outcome that lies far above its ceiling refutes the claim. An attack says of what kind
it is: by that, and by no name, the verdict knows what its outcomes count for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from numpy.typing import NDArray

from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.definitions.identification import RANK_1
from latentdp.metrics.definitions.verification import AUC
from latentdp.metrics.linkage import matched
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["Attack"]


class Attack(ABC):
    """One way to attack.

    Attributes:
        name: Of the plug-in; the name of its module.
        title: What the attacker does, in a line.
        kind: What it finds out where it succeeds. An attack that does not say counts against
            every claim.
        meaning: What the attacker does, for a person who must decide about a release; may be
            empty.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    kind: ClassVar[AttackKind] = AttackKind.UNKNOWN
    meaning: ClassVar[str] = ""

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
        detail: Mapping[str, object] | None = None,
    ) -> list[Outcome]:
        """Rank-1 and AUC of finding the originals of private target images.

        Args:
            scene: Its target's originals are the candidates.
            scores: ``(p, n)`` of p private images against all n originals; larger is likelier.
            rows: ``(p,)`` where the originals of the p are.
            setting: Of both outcomes.
            copies: Releases of each image that the attacker put together.
            headline: Whether the rank-1 belongs in the summary.
            detail: Of both outcomes, besides the size of the gallery.
        """
        n, patients = scores.shape[1], scene.target.cohort.patients[rows]
        match = matched(scores, rows, patients, resamples=scene.effort.resamples, seed=scene.seed)
        whole = scene.guarantee
        if whole is not None:
            whole = whole.compose(*[whole] * (copies - 1))
        return [
            Outcome.of(
                value,
                attack=self.name,
                setting=setting,
                metric=metric,
                n=len(rows),
                patients=len(set(patients.tolist())),
                chance=chance,
                ceiling=ceiling,
                headline=headline and metric is RANK_1,
                detail={"gallery": n, **(detail or {})},
            )
            for metric, value, chance, ceiling in (
                (RANK_1, match.first, 1 / n, whole.gallery_ceiling(n) if whole else None),
                (AUC, match.area, 0.5, whole.verification_ceiling() if whole else None),
            )
        ]
