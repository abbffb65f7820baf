"""The numbers that stand for a method in a comparison: one for each question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET

from latentdp.metrics.definitions.identification import P_AT_1, RANK_1
from latentdp.metrics.definitions.likeness import SSIM
from latentdp.metrics.definitions.verification import AUC, AUC_MAX, AUC_MEAN
from latentdp.metrics.metric import Metric
from latentdp.reports.comparison import Cell
from latentdp.reports.recognition import Thresholds, judge
from latentdp.reports.results import Measure, Outcome

__all__ = ["columns"]


def columns(outcomes: Sequence[Outcome], utility: Sequence[Measure]) -> Mapping[str, Cell | None]:
    """The numbers of the table, by column; None where there is none.

    Args:
        outcomes: Of the attacks, where people are recognised.
        utility: Of the classifiers, where findings are learnt.
    """

    def attack(name: str, metric: Metric) -> Cell | None:
        """The headline outcome of an attack, by the upper end of its interval."""
        rows = [o for o in outcomes if o.headline and o.attack == name and o.metric == metric]
        best = max(rows, key=lambda o: (o.high or 0.0, o.value or 0.0), default=None)
        return None if best is None else Cell(value=best.value, low=best.low, high=best.high)

    def classifier(setting: str, subject: str = "mean") -> Cell | None:
        rows = (m for m in utility if m.metric == AUC and m.subject == subject)
        return _cell(next((m for m in rows if m.setting == setting), None), of_classifier=True)

    recognition = judge(outcomes, Thresholds())

    def apart(best: Outcome | None) -> Cell | None:
        return None if best is None else Cell(value=best.value, low=best.low, high=best.high)

    return {
        "against_anyone": apart(recognition.anyone),
        "against_alike": apart(recognition.alike),
        "frozen": attack("frozen", AUC),
        "adaptive_mean": attack("adaptive", AUC_MEAN),
        "adaptive_max": attack("adaptive", AUC_MAX),
        "own_image_first": attack("linkage", RANK_1),
        "white_box": attack("likelihood", RANK_1),
        "p@1": attack("retrieval", P_AT_1),
        "o/p": classifier("o/p"),
        "p/o": classifier("p/o"),
        "p/p": classifier("p/p"),
        "o/o": classifier("o/o"),
        "o/p, normal": classifier("o/p", "normal"),
        "p/o, normal": classifier("p/o", "normal"),
        "ssim": _cell(next((m for m in utility if m.metric == SSIM), None)),
    }


def _cell(measure: Measure | None, *, of_classifier: bool = False) -> Cell | None:
    if measure is None:
        return None
    learnt = (measure.detail.learnt_with or "") if of_classifier else UNSET
    return Cell(value=measure.value, low=measure.low, high=measure.high, learnt_with=learnt)
