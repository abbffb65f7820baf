"""Who was learnt from? Numbers of who must tell members of a cohort from others."""

from __future__ import annotations

from latentdp.metrics.metric import Metric, MetricUnit

__all__ = ["CAUGHT", "MORE_NAMED", "NEARER", "RATES", "metrics"]

RATES = (0.01, 0.001)  # of false alarms
CAUGHT = {
    rate: Metric(
        f"tpr at {100 * rate:g} %",
        f"found at {100 * rate:g} % false alarms",
        f"share of members that are named while {100 * rate:g} % of the others are named wrongly",
        unit=MetricUnit.SHARE,
    )
    for rate in RATES
}
NEARER = Metric(
    "nearer",
    "nearer to the cohort",
    "share of synthetic images whose nearest original is of the cohort, and not of as many other "
    "patients: half is guessing",
    unit=MetricUnit.SHARE,
)
MORE_NAMED = Metric(
    "more named",
    "named more often",
    "share of synthetic images that a verifier takes for a patient of the cohort, less that for "
    "one of as many others: 0 is no difference",
)

metrics = (*CAUGHT.values(), NEARER, MORE_NAMED)
