"""Whether private images look like radiographs at all, whoever is on them.

Three numbers: how well a classifier tells private images from others' originals, how likely
the flow finds them beside originals, and, where the practice images trained the flow, how near
private images come to one of them, beside how near originals of new patients come: nearer would
mean copies.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from latentdp.core.arrays import Images
from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.threat_model import ThreatModel
from latentdp.evaluation.utility.base import Utility
from latentdp.metrics.bootstrap import Estimate, Resamples, auc, estimate, mean
from latentdp.metrics.definitions.likeness import BITS, NEAREST, TOLD_APART
from latentdp.metrics.linkage import some, widened
from latentdp.metrics.metric import Metric
from latentdp.models.networks.finding_classifier import ClassifierConfig
from latentdp.reports.results import Measure

__all__ = ["Realism", "utility"]

Matrix = NDArray[np.float64]

MOST = 512  # images whose likelihood and neighbours are looked at
FEWEST = 10  # images to learn from


class Realism(Utility):
    """AUC of real against private, bits per dimension, distance to the nearest training image."""

    name = "realism"
    title = "whether private images can be told from originals, and copy none"

    def measure(self, scene: ThreatModel, tell: ProgressCallback) -> list[Measure]:
        """What there is enough for."""
        target = scene.target
        resamples = Resamples(target.cohort.patients, scene.effort.resamples, scene.seed)
        measures = []
        if len(scene.practice.cohort) >= FEWEST:
            tell(0.0, "teaching a classifier what is private")
            measures.append(self._told_apart(scene, resamples))
        rows = some(len(target.cohort), MOST, scene.seed)
        weights = resamples.of(rows)
        originals, private = target.cohort.images[rows], target.private[0, rows]
        if scene.members:
            tell(0.7, "looking for copies")
            reference = scene.practice.cohort.images
            near = [_nearest(images, reference) for images in (private, originals)]
            detail = {
                "mean, private": near[0].mean(),
                "mean, originals": near[1].mean(),
                "least, private": near[0].min(),
                "least, originals": near[1].min(),
                "private nearer than any original": (near[0] < near[1].min()).mean(),
            }
            ratio = _ratio(near[0], near[1], weights)
            measures.append(self._row(scene, NEAREST, ratio, len(rows), detail))
        if scene.privatizer is not None:
            tell(0.8, "rating")
            rate = scene.privatizer.flow.encode_and_rate
            bits = [rate(images)[1] for images in (private, originals)]
            more = estimate(mean(bits[0] - bits[1], weights))
            means = {"bits, private": bits[0].mean(), "bits, originals": bits[1].mean()}
            measures.append(self._row(scene, BITS, more, len(rows), means))
        return [row for row in measures if row is not None]

    def _told_apart(self, scene: ThreatModel, resamples: Resamples) -> Measure | None:
        """The classifier learns on the practice side; 0.5 where nothing tells them apart."""
        practice, target = scene.practice, scene.target
        n, private = len(practice.cohort), practice.private[0]
        shown = np.concatenate([practice.cohort.images, private])[None]
        labels = np.repeat([0, 1], n).astype(np.int64)[None]
        steps = max(1, scene.effort.reader_steps // 2)
        settings = ClassifierConfig(steps=steps, seed=scene.seed)
        classifier = scene.classifiers.classifier(shown, labels, 2, settings)
        both = np.concatenate([target.cohort.images, target.private[0]])
        scores = classifier.log_odds(both)[:, 1]
        weights = np.tile(resamples.of(np.arange(len(target.cohort))), 2)
        values = estimate(auc(scores, np.arange(len(both)) >= len(target.cohort), weights))
        if values is not None:  # all right on few patients is no proof
            values = widened(values, len(np.unique(target.cohort.patients)))
        return self._row(scene, TOLD_APART, values, len(target.cohort), {"learnt_from": n})

    def _row(
        self,
        scene: ThreatModel,
        metric: Metric,
        interval: Estimate | None,
        n: int,
        detail: dict[str, float],
    ) -> Measure | None:
        if interval is None:
            return None
        settings = {
            TOLD_APART: "private or original?",
            NEAREST: "distance to the nearest training image, beside that of originals",
            BITS: "bits per dimension more than originals",
        }
        return Measure.of(
            interval,
            utility=self.name,
            setting=settings[metric],
            metric=metric,
            n=n,
            patients=len(np.unique(scene.target.cohort.patients)),
            detail={key: round(float(value), 4) for key, value in detail.items()},
        )


def _nearest(images: Images, reference: Images) -> Matrix:
    """Root mean square distance ``(n,)`` to the nearest of them, in grey levels of 255."""
    flat = [x.reshape(len(x), -1).astype(np.float32) * 255 for x in (images, reference)]
    return np.asarray(cdist(*flat).min(axis=1) / np.sqrt(flat[0].shape[1]))


def _ratio(one: Matrix, other: Matrix, weights: Matrix) -> Estimate | None:
    with np.errstate(divide="ignore", invalid="ignore"):
        return estimate(mean(one, weights) / mean(other, weights))


utility = Realism()
