"""Are two images of one person? Numbers of who must tell true pairs from false ones."""

from __future__ import annotations

from latentdp.metrics.metric import Goal, Metric, MetricUnit, Quantity

__all__ = ["AUC", "AUC_MAX", "AUC_MEAN", "EER", "metrics"]

AUC = Metric(
    "auc",
    "AUC",
    "how often a true case is rated above a false one: 0.5 is guessing, 1 is never wrong",
    quantity=Quantity.AUC,
)
AUC_MAX = Metric(
    "auc (max)",
    "AUC, best restart",
    "the AUC of the best of several attempts to learn, which an adversary keeps; all of them "
    "added up count as one more",
    quantity=Quantity.AUC,
)
AUC_MEAN = Metric(
    "auc (mean)",
    "AUC, mean of restarts",
    "the AUC of an attempt to learn on average: what bad luck alone would leave",
    quantity=Quantity.AUC,
)
EER = Metric(
    "eer",
    "equal error rate",
    "share of wrong answers where misses and false alarms are equally frequent: 50 % is guessing, "
    "0 % is never wrong, so that smaller is more dangerous",
    unit=MetricUnit.SHARE,
    goal=Goal.LOWER,
)

metrics = (AUC, AUC_MAX, AUC_MEAN, EER)
