"""The shipped verifier, as it is: what most published evaluations stop at."""

from __future__ import annotations

from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.attacks._embedders import frozen
from latentdp.evaluation.attacks._verification import verified
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["attack"]


class Frozen(Attack):
    """Verification by a network that has never seen a private image."""

    name = "frozen"
    title = "a verifier trained on real images only"
    kind = AttackKind.VERIFICATION
    meaning = (
        "A network that recognises patients on real radiographs compares images. It has never "
        "seen a private one; alone it calls private what a better attacker links."
    )

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """It needs a patient with two images."""
        return scene.target.lacks_pairs()

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """AUC and EER in each setting."""
        tell(0.0, "looking with the frozen verifier")
        return verified(self.name, scene, [frozen(scene)])


attack = Frozen()
