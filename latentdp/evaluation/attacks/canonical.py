"""What was redrawn is taken out again: an attacker who has the flow and has read the card.

The card says which directions of the latent were drawn anew. Whoever encodes a released image has
their values, and they hide nothing once they are set to zero: what is left, and the picture that
it decodes to, follows the source alone. The same is done with every candidate, and with other
renditions of it. Where a plan passes nothing on there is nothing left, and no such attack.
"""

from __future__ import annotations

import numpy as np

from latentdp.core.arrays import UNKNOWN, Images, Labels, Latents
from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.attacks._embedders import Embedder, renditions_of, together, unit_vectors
from latentdp.evaluation.attacks._search import searched
from latentdp.evaluation.attacks._verification import verified
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.attacks.likelihood import carried
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.metrics.definitions.identification import RANK_1
from latentdp.metrics.identification import own_image
from latentdp.metrics.linkage import some
from latentdp.privacy.plan import Action
from latentdp.privatizer import Privatizer
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["attack", "without_redrawn"]

PRACTICE = 400  # private images whose mean is what all of them share


class Canonical(Attack):
    """Own image and other images of the patient, once what was redrawn is set to zero."""

    name = "canonical"
    title = "re-encodes private images, sets what was redrawn to zero, and compares what is left"
    kind = AttackKind.SEARCH
    meaning = (
        "The attacker has the network and the recipe on the card, takes what was drawn at random "
        "out of each released image, and compares the rest with real radiographs."
    )

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """Without a plan, or where the plan passes nothing of the image on."""
        if scene.privatizer is None:
            return "flow and plan are not known"
        if not carried(scene.privatizer.plan):
            return "nothing that follows the image is left once what was redrawn is taken out"
        n = len(scene.target.cohort)
        return None if n > 1 else f"needs at least 2 images, there are {n}"

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """Rank-1 and rank-10 among all originals, and AUC where patients have several images."""
        assert scene.privatizer is not None
        maker, target, practice = scene.privatizer, scene.target, scene.practice
        tell(0.0, "taking out what was redrawn")
        rows = some(len(practice.cohort), PRACTICE, scene.seed)
        usual = _released(maker, practice.private[0, rows], practice.labels[0, rows])
        private = _released(maker, target.private[0], target.labels[0])
        real = _candidates(maker, target.cohort.images, target.cohort.labels)
        latents = _compared("latents", private, real, usual)
        pictures = _compared("pixels", *(_pictures(maker, x) for x in (private, real, usual)))
        both = together([pictures, latents])
        opponents = [pictures, latents, both]
        others = renditions_of(scene)
        for i, (name, images) in enumerate(others.items()):
            tell((1 + i) / (1 + len(others)), f"candidates as {name}")
            copies = _candidates(maker, images, target.cohort.labels)
            opponents.append(_compared(f"latents, {name}", private, copies, usual))
        hits = [(o.name, own_image(o.private @ o.real.T)) for o in opponents]
        setting = "private among all originals, without what was redrawn"
        outcomes = searched(self.name, scene, setting, hits, rank=RANK_1)
        return outcomes if target.lacks_pairs() else outcomes + verified(self.name, scene, [both])


def without_redrawn(maker: Privatizer, latents: Latents) -> Latents:
    """Latents ``(n, d)`` as coordinates ``(n, d)`` of the plan, zero where it resamples."""
    plan = maker.plan
    coordinates = np.array(plan.coordinates(latents))
    for block, dims in zip(plan.blocks, plan.dims, strict=True):
        if block.action is Action.RESAMPLE:
            coordinates[:, dims] = 0
    return coordinates


def _released(maker: Privatizer, images: Images, labels: Labels) -> Latents:
    """Private images, encoded under the labels that lie beside them."""
    return without_redrawn(maker, maker.flow.encode(images, labels))


def _candidates(maker: Privatizer, images: Images, labels: Labels) -> Latents:
    """Real images, encoded as a release of them would be."""
    return without_redrawn(maker, maker.encode(images, labels))


def _pictures(maker: Privatizer, coordinates: Latents) -> Images:
    """What they decode to, all under no label: what a label says is not compared here."""
    basis = maker.plan.basis
    latents = coordinates if basis is None else basis.inverse(coordinates)
    return maker.flow.decode_valid(latents, np.full(len(latents), UNKNOWN))[0]


def _compared(
    name: str, private: Latents | Images, real: Latents | Images, usual: Latents | Images
) -> Embedder:
    """Correlation of what is left beyond the mean of the private images of practice."""
    mean = usual.mean(axis=0)
    return Embedder(name, unit_vectors(private - mean), unit_vectors(real - mean))


attack = Canonical()
