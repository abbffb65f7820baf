"""Who is it? Numbers of who must name one of a gallery."""

from __future__ import annotations

from latentdp.metrics.identification import RANKS
from latentdp.metrics.metric import Metric, MetricUnit, Quantity

__all__ = ["MAP_AT_R", "P_AT_1", "RANK_1", "RANK_10", "metrics"]

RANK_1 = Metric(
    "rank-1",
    "named first",
    "how often the right one is named first in the gallery",
    unit=MetricUnit.SHARE,
    quantity=Quantity.FIRST,
)
P_AT_1 = Metric(
    "p@1",
    "P@1",
    "how often the nearest image in the gallery shows the same patient",
    unit=MetricUnit.SHARE,
    quantity=Quantity.FIRST,
)
MAP_AT_R = Metric(
    "map@r",
    "mAP@R",
    "how purely a patient's other images lead the list of the nearest ones: 1 is all of them, in "
    "front of everybody else's",
)
_RANKS = {
    k: Metric(
        f"rank-{k}",
        f"among the first {k}",
        f"how often the right one is among the first {k} named",
        unit=MetricUnit.SHARE,
    )
    for k in RANKS[1:]
}
RANK_10 = _RANKS[10]
_PRECISIONS = tuple(
    Metric(
        f"p@{k}",
        f"P@{k}",
        f"share of the same patient among the {k} nearest images",
        unit=MetricUnit.SHARE,
    )
    for k in RANKS[1:]
)

metrics = (RANK_1, P_AT_1, MAP_AT_R, *_RANKS.values(), *_PRECISIONS)
