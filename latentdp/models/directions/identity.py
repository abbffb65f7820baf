"""Directions of the latent that carry identity: what the images of one patient share.

From public training latents: the covariance across different images of one patient, whitened by
the covariance within stratum and finding, among the leading directions of the latter in the
coarsest level; its other directions follow in their order. In finer levels no identity was found:
with the coarsest level redrawn a verifier is at chance, with all others redrawn it is not
weakened (benchmarks/identity.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from latentdp.metrics.scatter import Groups, across, residuals
from latentdp.models.model_card.directions_card import IdentityCard

__all__ = ["identity_directions"]

Matrix = NDArray[np.float64]

SHARE = 0.5  # of the dimensions of the level among which identity is looked for


def identity_directions(
    latents: Matrix, groups: Groups, level: slice
) -> tuple[Matrix, IdentityCard] | None:
    """Orthonormal rows ``(m, d)``, those that say most about the patient first, and their card.

    They span the level, so that m is its number of dimensions.

    Args:
        latents: ``(n, d)`` of public training images.
        groups: What is known of them; an unknown finding counts as one of its own.
        level: The coarsest.

    Returns:
        None where no patient has two images.
    """
    z = latents[:, level]
    known = Groups(groups.findings + 1, groups.strata, groups.patients)
    if np.bincount(groups.patients).max(initial=0) < 2:
        return None
    spread = residuals(z, known)
    within = spread.T @ spread / max(1, len(z) - 1)
    d = len(within)
    m = max(1, int(SHARE * d))
    values, vectors = (x[..., ::-1] for x in eigh(within))
    scale = 1 / np.sqrt(np.maximum(values[:m], 1e-9))
    shared = across(spread @ vectors[:, :m], groups.patients) * scale[:, None] * scale
    correlations, turn = np.linalg.eigh(shared)
    rows = np.zeros((d, latents.shape[1]))
    rows[:, level] = np.concatenate([vectors[:, :m] @ turn[:, ::-1], vectors[:, m:]], axis=1).T
    card = IdentityCard(
        count=d,
        compared=m,
        patients_with_pairs=int((np.bincount(groups.patients) > 1).sum()),
        intraclass_correlations=tuple(
            round(float(correlations[::-1][i]), 3) for i in range(0, m, max(1, m // 16))
        ),
    )
    return rows, card
