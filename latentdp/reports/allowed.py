"""What epsilon alone allows, beside what an attack reached: the two together are the headline."""

from __future__ import annotations

from msgspec import UNSET

from latentdp.metrics.metric import Quantity
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.rounding import at_most, printed
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.results import Outcome

__all__ = ["allowed"]


def allowed(evaluation: Evaluation, outcome: Outcome) -> str:
    """What any attacker could reach under the patient's epsilon, as part of a sentence.

    Args:
        evaluation: Whose guarantee it is.
        outcome: An AUC, or how often the own original is named first.

    Returns:
        ``the patient's epsilon, 8, alone would allow up to 0.9997``; that nothing is bounded where
        it is infinite; empty where the file does not say.
    """
    claimed = evaluation.patient
    if claimed is UNSET:
        return ""
    if claimed.epsilon is None:
        return "no epsilon bounds it"
    whole = Guarantee(epsilon=claimed.epsilon, delta=claimed.delta)
    if outcome.metric.quantity is Quantity.AUC:
        most = at_most(whole.verification_ceiling(), 4)
    elif outcome.metric.quantity is Quantity.FIRST:
        gallery = outcome.n if outcome.detail.gallery is None else outcome.detail.gallery
        most = f"{at_most(100 * whole.gallery_ceiling(max(1, gallery)), 1)} %"
    else:
        return ""
    return f"the patient's epsilon, {printed(claimed.epsilon)}, alone would allow up to {most}"
