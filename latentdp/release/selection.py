"""Which of a patient's images are released, where a patient's budget does not pay for all.

The order is that of keyed digests of pictures: it follows neither from names, dates or pixels, nor
from the order in which files are found, and it is the same in every run with one vault. Images
that were charged before stay; what is left of the budget goes to the first of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from latentdp.vault.spending import Limit, Spent

__all__ = ["Candidate", "select"]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An image that is still to be charged.

    Attributes:
        order: Keyed digest of its picture and patient; no two images have the same.
        subject: Who would be charged, in the ledger.
        micro_epsilon: What it costs, as in the ledger.
        pico_delta: Likewise.
    """

    order: str
    subject: str
    micro_epsilon: int
    pico_delta: int


def select(
    candidates: Iterable[Candidate], spent: Callable[[str], Spent], limit: Limit
) -> frozenset[str]:
    """The images that a patient's budget pays for, by their ``order``.

    Args:
        candidates: Of all patients.
        spent: What was spent on a subject so far.
        limit: Of each patient.
    """
    selected: dict[str, Spent] = {}
    chosen = []
    for one in sorted(candidates, key=lambda candidate: candidate.order):
        before = selected.get(one.subject) or spent(one.subject)
        after = before.plus(one.micro_epsilon, one.pico_delta)
        if limit.allows(after):
            selected[one.subject] = after
            chosen.append(one.order)
    return frozenset(chosen)
