"""How far private images are from their originals: SSIM, PSNR, and a distance of feature clouds.

For description only. A private image that looks like its own original is not private, so a high
number is no merit by itself; the distance between the two clouds says whether private images as a
whole look like originals as a whole, whoever is on them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity
from sklearn.decomposition import PCA

from latentdp.core.arrays import Images
from latentdp.core.progress import ProgressCallback
from latentdp.data.preprocess import shrink
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.evaluation.utility._lesson import readable
from latentdp.evaluation.utility.base import Utility
from latentdp.evaluation.utility.classification import utility as classification
from latentdp.metrics.bootstrap import Estimate, Resamples, estimate, mean
from latentdp.metrics.definitions.likeness import DISTANCE, PSNR, SSIM
from latentdp.metrics.metric import Metric
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation
from latentdp.reports.results import Measure

__all__ = ["Similarity", "distance_of", "frechet", "utility"]

Matrix = NDArray[np.float64]
Embed = Callable[[Images], Matrix]

ROUNDING = 1 / (12 * 255**2)  # mean square error of 8 bits; 59 dB stand for "the same"
DIMENSIONS = 32  # of the features that are compared: a cloud of few images knows no more
RESAMPLES = 100  # of the distance, which is dear


class Similarity(Utility):
    """Means over the target's images, and one distance.

    Args:
        embed: Features ``(n, d)`` of images; by default a classifier's of findings, taught on
            the practice originals, or small pixels where there are no findings.
    """

    name = "similarity"
    title = "SSIM and PSNR to the own original, and the distance of private from original features"

    def __init__(self, embed: Embed | None = None) -> None:
        self.embed = embed

    def measure(self, scene: ThreatModel, tell: ProgressCallback) -> list[Measure]:
        """SSIM, PSNR, distance."""
        cohort, private = scene.target.cohort, scene.target.private[0]
        weights = Resamples(cohort.patients, scene.effort.resamples, scene.seed).images(
            np.ones(len(cohort), dtype=np.bool_)
        )
        tell(0.0, "comparing with originals")
        pairs = list(zip(cohort.images, private, strict=True))
        compare: Callable[..., float] = structural_similarity
        ssim = np.array([compare(a, b, data_range=1.0) for a, b in pairs])
        wrong = np.array([np.square(a.astype(np.float64) - b).mean() for a, b in pairs])
        psnr = -10 * np.log10(np.maximum(wrong, ROUNDING))
        measures = [
            self._measure(scene, metric, estimate(mean(values, weights)), {})
            for metric, values in ((SSIM, ssim), (PSNR, psnr))
        ]
        tell(0.3, "comparing features")
        what, embed = self._features(scene)
        learnt = embed(scene.practice.cohort.images)
        size = min(DIMENSIONS, *learnt.shape, max(1, len(cohort) // 4))
        pca = PCA(size, svd_solver="full").fit(learnt)
        original, released = (pca.transform(embed(x)) for x in (cohort.images, private))
        floor = _halves(original, cohort.patients, scene.seed)
        detail = {"features": what, "dimensions": size, "originals_among_themselves": floor}
        distance = distance_of(original, released, weights)
        measures.append(self._measure(scene, DISTANCE, distance, detail))
        return [measure for measure in measures if measure is not None]

    def _features(self, scene: ThreatModel) -> tuple[str, Embed]:
        if self.embed is not None:
            return "given", self.embed
        if readable(scene) is None:
            classifier = classification.classifier(scene, private=False)
            return "pooled activations of the classifier taught on originals", classifier.features
        return "pixels at 16 a side", _pixels

    def _measure(
        self,
        scene: ThreatModel,
        metric: Metric,
        interval: Estimate | None,
        detail: dict[str, object],
    ) -> Measure | None:
        if interval is None:
            return None
        patients = scene.target.cohort.patients
        return Measure.of(
            interval,
            utility=self.name,
            setting="private against original",
            metric=metric,
            n=len(patients),
            patients=len(np.unique(patients)),
            detail=detail,
        )


def frechet(a: Matrix, b: Matrix, weights: Matrix | None = None) -> float:
    """Frechet distance of Gaussians fitted to two clouds (Dowson and Landau 1982, equation 4).

    Args:
        a: ``(n, d)``.
        b: ``(m, d)``.
        weights: ``(n,)`` of the rows of both, if they count differently; then n = m.
    """
    (ma, ca), (mb, cb) = (_gaussian(x, weights) for x in (a, b))
    values, vectors = np.linalg.eigh(ca)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ cb @ root)
    spread = np.trace(ca) + np.trace(cb) - 2 * np.sqrt(np.maximum(cross, 0.0)).sum()
    return float(np.square(ma - mb).sum() + max(0.0, spread))


def _gaussian(x: Matrix, weights: Matrix | None) -> tuple[Matrix, Matrix]:
    w = np.ones(len(x)) if weights is None else weights
    centre = w @ x / w.sum()
    d = x - centre
    return centre, (d * w[:, None]).T @ d / w.sum()


def distance_of(original: Matrix, private: Matrix, weights: Matrix) -> Estimate:
    """With the pivotal interval (Davison and Hinkley 1997, equation 5.6).

    A distance of few images is too large, and that of a resample, which has fewer distinct ones,
    is larger again; the pivotal interval takes the second excess for the first, and subtracts it.
    Where that leaves the distance itself out, the interval reaches up to it.
    """
    value = frechet(original, private)
    resampled = [frechet(original, private, w) for w in weights[1 : 1 + RESAMPLES]]
    low, high = (max(0.0, 2 * value - float(np.quantile(resampled, q))) for q in (0.975, 0.025))
    return Estimate.around(value, low, high)


def _halves(x: Matrix, patients: NDArray[np.int64], seed: int) -> float:
    """Distance between originals of one half of the patients and of the other."""
    who = np.unique(patients, return_inverse=True)[1]
    first = permutation(SeededNoise(seed), int(who.max()) + 1)[who] * 2 <= who.max()
    if first.all() or not first.any():
        return 0.0
    return round(frechet(x[first], x[~first]), 4)


def _pixels(images: Images) -> Matrix:
    return np.asarray(shrink(images, 16).reshape(len(images), -1), dtype=np.float64)


utility = Similarity()
