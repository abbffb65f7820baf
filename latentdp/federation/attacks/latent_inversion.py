"""Inversion with a prior on latents: the chest of the public flow that explains what was seen.

Whoever has the flow searches among chests and not among pictures (after Jeon et al. 2021,
"Gradient inversion with generative image prior", arXiv 2110.14962): in its latent, where the cost
of an unusual image is half of its latent's squared length. Where coarse latents stand in the sums
there is nothing to search: they are read, made as long as usual ones, and decoded.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from latentdp.core.progress import ProgressCallback
from latentdp.federation.attacks._recognised import recognised, too_few_people
from latentdp.federation.attacks._search import descend
from latentdp.federation.attacks.base import SharingAttack, SharingScene
from latentdp.privacy.mechanisms.base import clip_norm
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["LatentInversion", "as_usual", "attack", "whole"]

Matrix = NDArray[np.float64]

RATE = 0.1  # of a latent, whose deviation is 1
WEIGHT = 0.01  # of half the mean square of latents


class LatentInversion(SharingAttack):
    """Knows what chests look like."""

    name = "latent_inversion"
    title = "rebuilds a patient's image from a sum: the chest of the public flow that fits"
    kind = AttackKind.RECONSTRUCTION
    meaning = "The coordinator searches the public network's chests for one that fits."
    family = "similarity with the flow's chest that fits"

    def unavailable_reason(self, scene: SharingScene) -> str | None:
        """Where nothing can be held against the sum."""
        first = scene.seen[:1]
        if scene.shared.misfit(first) is None and scene.shared.latents(first) is None:
            return "nothing says how a latent would fit these sums"
        return too_few_people(scene)

    def run(self, scene: SharingScene, tell: ProgressCallback) -> list[Outcome]:
        """Recognised originals."""
        tell(0.0, "searching for latents")
        flow, read = scene.flow, scene.shared.latents(scene.seen)
        if read is not None:
            found = whole(as_usual(read), flow.d)
        else:
            misfit = scene.shared.misfit(scene.seen)
            assert misfit is not None

            def cost(latents: Matrix) -> tuple[Matrix, Matrix]:
                costs, gradients = misfit(flow.decode_valid(latents)[0])
                unusual = WEIGHT * (latents**2).mean(axis=1) / 2
                pulled = flow.pull_back(latents, gradients) + WEIGHT * latents / flow.d
                return costs + unusual, pulled

            start = np.zeros((len(scene.seen), flow.d))
            found = descend(start, cost, steps=scene.steps, rate=RATE)
        images, _ = flow.decode_valid(found)
        return recognised(scene, images, self.name, self.family)


def as_usual(latents: Matrix) -> Matrix:
    """Latents ``(t, m)`` no longer than usual ones: noise makes them long, and no chest is."""
    return clip_norm(latents, math.sqrt(latents.shape[1]), 2)


def whole(coarse: Matrix, size: int) -> Matrix:
    """With 0, the likeliest, for all detail: ``(t, size)``."""
    return np.pad(coarse, ((0, 0), (0, size - coarse.shape[1])))


attack = LatentInversion()
