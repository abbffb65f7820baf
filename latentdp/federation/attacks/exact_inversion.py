"""Inversion by a formula: what a linear reader's gradient says of one image, it says exactly.

The gradient of a linear layer with an offset is the error times the input, and that of the offset
is the error: the input is their quotient (Phong et al. 2018, "Privacy-preserving deep learning via
additively homomorphic encryption", section 3; also what the first layer of any network gives).
"""

from __future__ import annotations

from latentdp.core.progress import ProgressCallback
from latentdp.federation.attacks._recognised import recognised, too_few_people
from latentdp.federation.attacks.base import SharingAttack, SharingScene
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["ExactInversion", "attack"]


class ExactInversion(SharingAttack):
    """Divides."""

    name = "exact_inversion"
    title = "reads a patient's image off a linear gradient, by a formula"
    kind = AttackKind.RECONSTRUCTION
    meaning = "The coordinator divides one part of a gradient by another, and has the image."
    family = "similarity with what the formula gives"

    def unavailable_reason(self, scene: SharingScene) -> str | None:
        """Where there is no formula."""
        if scene.shared.exact(scene.seen[:1]) is None:
            return "no formula turns these sums into an image"
        return too_few_people(scene)

    def run(self, scene: SharingScene, tell: ProgressCallback) -> list[Outcome]:
        """Recognised originals."""
        rebuilt = scene.shared.exact(scene.seen)
        assert rebuilt is not None
        return recognised(scene, rebuilt, self.name, self.family)


attack = ExactInversion()
