"""Same-image linkage: which original did a private image come from?

Nothing is easier for an attacker who holds the original pictures, or got hold of them elsewhere:
under heavy pixel noise plain correlation finds them when no network does. Other pictures of the
same radiographs are tried as well, and the search that names most is the one that is reported.
"""

from __future__ import annotations

from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.attacks._embedders import (
    adapted,
    frozen,
    pixels,
    rendered,
    repeats,
    together,
)
from latentdp.evaluation.attacks._search import searched
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.definitions.identification import RANK_1
from latentdp.metrics.identification import own_image
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["attack"]


class Linkage(Attack):
    """Each private image is looked for among all originals."""

    name = "linkage"
    title = "the original looked for among all originals, by the best of correlation and networks"
    kind = AttackKind.SEARCH
    meaning = (
        "The attacker has the very source image, or another picture of it, and looks for what was "
        "made of it."
    )

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """It needs two images."""
        n = len(scene.target.cohort)
        return None if n > 1 else f"needs at least 2 images, there are {n}"

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """Rank-1 and rank-10 among all originals, and the CMC curve."""
        networks = [frozen(scene)]
        if scene.practice.lacks_patients() is None:
            networks += adapted(scene, tell)
        opponents = [pixels(scene), *networks, together(networks), *rendered(scene)]
        again = repeats(scene, tell)
        if again is not None:
            opponents.append(again)
        hits = [(o.name, own_image(o.private @ o.real.T)) for o in opponents]
        return searched(self.name, scene, "private among all originals", hits, rank=RANK_1)


attack = Linkage()
