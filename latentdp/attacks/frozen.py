"""The shipped verifier, as it is: what most published evaluations stop at."""

from __future__ import annotations

from latentdp.attacks._opponents import frozen
from latentdp.attacks._verified import verified
from latentdp.attacks.base import Attack, Outcome, Scene
from latentdp.methods import Tell

__all__ = ["attack"]


class Frozen(Attack):
    """Verification by a network that has never seen a private image."""

    name = "frozen"
    title = "a verifier trained on real images only"

    def unable(self, scene: Scene) -> str | None:
        """It needs a patient with two images."""
        return scene.target.lacks_pairs()

    def run(self, scene: Scene, tell: Tell) -> list[Outcome]:
        """AUC and EER in each setting."""
        tell(0.0, "looking with the frozen verifier")
        return verified(self.name, scene, [frozen(scene)])


attack = Frozen()
