"""Inversion with a prior on pixels: the smoothest image that explains what was seen.

Of a gradient, an image is sought whose gradient has the same direction and whose total variation
is small (Geiping et al. 2020, "Inverting gradients", arXiv 2003.14053, equation 4; after Zhu et
al. 2019, "Deep leakage from gradients"). Where coarse latents stand in the sums, the fit is exact
and only the detail is sought.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from latentdp.core.progress import ProgressCallback
from latentdp.federation.attacks._recognised import recognised, too_few_people
from latentdp.federation.attacks._search import descend, total_variation
from latentdp.federation.attacks.base import SharingAttack, SharingScene
from latentdp.federation.attacks.latent_inversion import as_usual, whole
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import Outcome

__all__ = ["PixelInversion", "attack"]

Matrix = NDArray[np.float64]

RATE, DETAIL_RATE = 0.05, 0.05  # of grey levels in [0, 1]; of latents
WEIGHT = 0.01  # of the variation, where the misfit is at most 2
DETAIL_STEPS = 10


class PixelInversion(SharingAttack):
    """Knows that radiographs are smooth."""

    name = "pixel_inversion"
    title = "rebuilds a patient's image from a sum: the smoothest one that fits"
    kind = AttackKind.RECONSTRUCTION
    meaning = "The coordinator searches for an image that would have given what was sent."
    family = "similarity with the smoothest image that fits"

    def unavailable_reason(self, scene: SharingScene) -> str | None:
        """Where nothing can be held against the sum."""
        first = scene.seen[:1]
        if scene.shared.misfit(first) is None and scene.shared.latents(first) is None:
            return "nothing says how an image would fit these sums"
        return too_few_people(scene)

    def run(self, scene: SharingScene, tell: ProgressCallback) -> list[Outcome]:
        """Recognised originals."""
        tell(0.0, "searching for images")
        misfit = scene.shared.misfit(scene.seen)
        if misfit is not None:

            def cost(pixels: Matrix) -> tuple[Matrix, Matrix]:
                inside = np.clip(pixels, 0, 1)
                costs, gradients = misfit(inside.astype(np.float32))
                rough, slopes = total_variation(inside)
                return costs + WEIGHT * rough, gradients + WEIGHT * slopes

            grey = np.full((len(scene.seen), *scene.flow.shape), 0.5)
            found = descend(grey, cost, steps=scene.steps, rate=RATE)
            rebuilt = np.clip(found, 0, 1).astype(np.float32)
        else:
            rebuilt = _smoothest(scene)
        return recognised(scene, rebuilt, self.name, self.family)


def _smoothest(scene: SharingScene) -> NDArray[np.float32]:
    """Images whose coarse latents are those that were read, with as little variation as can be."""
    latents = scene.shared.latents(scene.seen)
    assert latents is not None
    flow, coarse = scene.flow, as_usual(latents)

    def cost(detail: Matrix) -> tuple[Matrix, Matrix]:
        at = np.concatenate([coarse, detail], axis=1)
        costs, slopes = total_variation(flow.decode_valid(at)[0])
        gradients = flow.pull_back(at, slopes)[:, coarse.shape[1] :]
        return costs, gradients

    start = whole(coarse, flow.d)[:, coarse.shape[1] :]
    steps = min(DETAIL_STEPS, scene.steps)
    detail = descend(start, cost, steps=steps, rate=DETAIL_RATE)
    return flow.decode_valid(np.concatenate([coarse, detail], axis=1))[0]


attack = PixelInversion()
