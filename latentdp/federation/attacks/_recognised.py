"""Is an original recognised on what was rebuilt of it? It is looked for among other patients'."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from scipy.special import betainc
from skimage.metrics import structural_similarity

from latentdp.core.arrays import Images
from latentdp.data.preprocess import shrink
from latentdp.federation.attacks.base import SharingScene
from latentdp.metrics.bootstrap import Resamples, estimate, mean
from latentdp.metrics.definitions.identification import RANK_1
from latentdp.metrics.definitions.leakage import V_INFORMATION
from latentdp.metrics.definitions.likeness import SSIM
from latentdp.metrics.linkage import correlations, matched
from latentdp.metrics.membership import detection_ceiling
from latentdp.metrics.v_information import choice_bits, gaussian_ceiling
from latentdp.reports.results import Outcome

__all__ = ["FEWEST", "recognised", "too_few_people"]

FEWEST = 4  # patients
SIDE = 16  # pixels, at which images are compared: what noise leaves is coarse
RESAMPLES = 500
LUCK = 2.8e-7  # five standard errors of a normal estimate, as of other refutations


def too_few_people(scene: SharingScene) -> str | None:
    """Why nobody can be looked for; None if they can."""
    return None if scene.in_gallery >= FEWEST else f"needs {FEWEST} patients"


def recognised(scene: SharingScene, rebuilt: Images, attack: str, family: str) -> list[Outcome]:
    """How often the right original is the most similar, how alike it is, and how many bits.

    With noise, no attacker who is to choose among n names more than ``Phi(Phi^-1(1 / n) + mu)``:
    on average over all candidates, they are named so often without the patient as 1 / n. Each
    target is looked for once, in a sum with noise of its own, so that of few targets, too, it is
    known how likely luck names so many (Hoeffding 1956: at most the binomial's tail).

    Args:
        scene: That was attacked.
        rebuilt: ``(t, h, w)`` of each target.
        attack: Name of the attack.
        family: Of its readers.
    """
    n, t, mu = scene.in_gallery, len(rebuilt), scene.shared.mu
    originals = scene.site.originals[scene.lot[:n]]
    scores = correlations(_small(rebuilt), _small(originals))
    rows = np.arange(t)
    match = matched(scores, rows, rows, resamples=RESAMPLES, seed=scene.seed)
    noisy = bool(np.isfinite(mu))
    who = "all others of the sum are known" if scene.together == 1 else (
        f"{scene.together} patients of the sum are not known"
    )  # fmt: skip
    ceiling = detection_ceiling(1 / n, mu) if noisy else None
    found = [
        Outcome.of(
            match.first, attack=attack, setting=who, metric=RANK_1, n=t, patients=t, chance=1 / n,
            ceiling=ceiling, headline=True,
            detail={"gallery": n},
        )
    ]  # fmt: skip
    if ceiling is not None and luck(found[0].value or 0.0, t, ceiling) < LUCK:
        found[0] = structs.replace(found[0], refutes=True)
    weights = Resamples(rows, RESAMPLES, scene.seed).counts
    equal = shrink(originals[:t], rebuilt.shape[1])
    own, another = (
        np.array([_alike(a, b) for a, b in zip(rebuilt, side, strict=True)])
        for side in (equal, np.roll(equal, 1, axis=0))
    )
    alike, bits = estimate(mean(own, weights)), choice_bits(scores, rows, scene.seed)
    if alike is not None:
        found.append(
            Outcome.of(
                alike, attack=attack, setting=who, metric=SSIM, n=t, patients=t,
                detail={"note": f"with another patient's original {another.mean():.3f}"},
            )
        )  # fmt: skip
    if bits is not None:
        found.append(
            Outcome.of(
                bits, attack=attack, setting=f"which of {n}, by {family}; {who}",
                metric=V_INFORMATION, n=t, patients=t, chance=0.0,
                ceiling=gaussian_ceiling(mu) if noisy else None,
                detail={"gallery": n, "note": f"all would be {np.log2(n):.2f} bits"},
            )
        )  # fmt: skip
    return found


def luck(share: float, n: int, most: float) -> float:
    """How likely at least such a share of n independent targets is named, each with ``most``.

    >>> luck(0.0, 16, 0.06), round(luck(0.5, 2, 0.06), 4)
    (1.0, 0.1164)
    """
    named = math.floor(share * n + 1e-9)  # a tie names a part of a target
    return float(betainc(named, n - named + 1, most)) if named > 0 else 1.0


def _small(images: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(shrink(images, min(SIDE, images.shape[1])), dtype=np.float64)


def _alike(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    compare: Callable[..., float] = structural_similarity
    return compare(a.astype(np.float64), b.astype(np.float64), data_range=1.0)
