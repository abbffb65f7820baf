"""How right is a guess? Rates and errors of who predicts a class or a number."""

from __future__ import annotations

from latentdp.metrics.metric import Goal, Metric, MetricUnit

__all__ = ["EXPLAINED", "GAP", "metrics"]

EXPLAINED = Metric(
    "explained",
    "explained",
    "share of the original's variation that was rebuilt, beyond what the label tells: 0 is "
    "nothing, 1 is all",
)
GAP = Metric("gap", "gap", "largest difference between subgroups: 0 is none", goal=Goal.LOWER)
_ERRORS = tuple(
    Metric(name, name, "mean error of the attacker: smaller is more dangerous", goal=Goal.LOWER)
    for name in ("error", "mae", "rmse", "mse")
)

metrics = (
    EXPLAINED,
    GAP,
    *_ERRORS,
    Metric("accuracy", "accuracy", "share of right answers", unit=MetricUnit.SHARE),
    Metric(
        "balanced accuracy",
        "balanced accuracy",
        "share of right answers, each group counting alike",
        unit=MetricUnit.SHARE,
    ),
    Metric("advantage", "advantage", "right answers beyond guessing: 0 is none, 1 is all"),
    Metric(
        "correlation",
        "correlation",
        "of what the attacker rebuilt with the original: 1 is equal",
    ),
    Metric("r2", "R\N{SUPERSCRIPT TWO}", "share of the original's variation that was rebuilt"),
)
