"""How alike are two clouds of images? Numbers of who compares a synthetic set with originals."""

from __future__ import annotations

from latentdp.metrics.metric import Goal, Metric, MetricUnit

__all__ = ["FRECHET", "NAMED", "NEAREST_MEDIAN", "PRECISION", "RECALL", "metrics"]

FRECHET = Metric(
    "frechet",
    "Frechet distance",
    "of Gaussians around the features of either side: 0 is none; fewer images make it larger",
    goal=Goal.LOWER,
)
PRECISION = Metric(
    "precision",
    "precision",
    "share of these images that lie among those of the cohort, by their features",
    unit=MetricUnit.SHARE,
)
RECALL = Metric(
    "recall",
    "recall",
    "share of the cohort's images that lie among these, by their features",
    unit=MetricUnit.SHARE,
)
NEAREST_MEDIAN = Metric(
    "nearest original",
    "distance of the nearest original",
    "median over images; a copy is at 0, and the patients of a cohort must be no nearer than "
    "others",
)
NAMED = Metric(
    "named",
    "taken for somebody",
    "share of images that a verifier takes for one of these patients, where it takes 1 % of other "
    "patients for one of them",
    unit=MetricUnit.SHARE,
    goal=Goal.LOWER,
)

metrics = (FRECHET, PRECISION, RECALL, NEAREST_MEDIAN, NAMED)
