"""One to many: the patient of a private image is looked for among other real images.

The private image's own original is not in the gallery: what is found is the person, by another
radiograph. `linkage` looks for the original itself. Outputs of a patient are also taken together.
"""

from __future__ import annotations

from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.attacks._embedders import adapted, frozen, together
from latentdp.evaluation.attacks._joint import joined, outputs_joined, worth_joining
from latentdp.evaluation.attacks._search import searched
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.definitions.identification import P_AT_1
from latentdp.metrics.identification import image_left_out, same_patient
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["attack"]


class Retrieval(Attack):
    """Identification of a person by another radiograph of theirs."""

    name = "retrieval"
    title = "the patient looked for among real images, by the best of all verifiers"
    kind = AttackKind.RETRIEVAL
    meaning = (
        "The attacker searches a gallery of real radiographs for the patient of a private image."
    )

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """It needs a patient with two images, and two patients to practise on."""
        return scene.target.lacks_pairs() or scene.practice.lacks_patients()

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """P@1, rank-10 and mAP@R with the gallery's size, and the CMC curve."""
        patients = scene.target.cohort.patients
        networks = [frozen(scene), *adapted(scene, tell)]
        opponents = [*networks, together(networks)]
        hits = [(o.name, same_patient(o.private @ o.real.T, patients)) for o in opponents]
        outcomes = searched(self.name, scene, "private in a gallery of real", hits, rank=P_AT_1)
        if worth_joining(scene):
            joint = [joined(scene, opponent) for opponent in opponents]
            outcomes += searched(
                self.name,
                scene,
                "all outputs of a patient in a gallery of real",
                [(o.name, image_left_out(o.private @ o.real.T, patients)) for o in joint],
                rank=P_AT_1,
                joined=outputs_joined(scene),
            )
        return outcomes


attack = Retrieval()
