"""The verifier after learning on this method's own private images of other patients.

Restarts differ by luck (PriCheXy-Net's attacker by 0.14 of AUC), and an attacker may try as often
as they like and add up what the attempts say. The mean says what to expect of one; the maximum,
for which their sum counts as one more, what to fear. Outputs of a patient are also taken together.
"""

from __future__ import annotations

from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.attacks._embedders import adapted, together
from latentdp.evaluation.attacks._joint import worth_joining
from latentdp.evaluation.attacks._verification import verified, verified_jointly
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["attack"]


class Adaptive(Attack):
    """Verification by networks that practised on private images."""

    name = "adaptive"
    title = "the verifier, retrained on private images of other patients"
    kind = AttackKind.VERIFICATION
    meaning = (
        "The same network goes on learning from private images of other patients, made by the "
        "same method: what an adversary who has the software would do. Each restart is another "
        "attempt; an adversary keeps the best."
    )

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """It needs a patient with two images, and two patients to practise on."""
        return scene.target.lacks_pairs() or scene.practice.lacks_patients()

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """AUC and EER in each setting, mean and maximum of the restarts."""
        restarts = adapted(scene, tell)
        opponents = [*restarts, together(restarts)]
        outcomes = verified(self.name, scene, opponents, summed=True)
        if worth_joining(scene):
            outcomes += verified_jointly(self.name, scene, opponents, summed=True)
        return outcomes


attack = Adaptive()
