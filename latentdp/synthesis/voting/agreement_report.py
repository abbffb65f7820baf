"""What only the vault may know of an answer: how far voters agreed, and what that would cost."""

from __future__ import annotations

from typing import Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from latentdp.privacy.vote_accountant import Elections, told_by_votes

__all__ = ["AgreementReport"]


class AgreementReport(Struct, frozen=True, kw_only=True):
    """What follows from the votes themselves: **private**, for the vault alone.

    Attributes:
        agreement: Mean share of votes for the first.
        lead: Mean votes of the first before the second.
        right: Share of answers that are what most voters said.
        data_dependent_epsilon: What these very votes would cost; None where it is not known. It
            promises nothing, and is no bound for another cohort (Papernot and others 2018).
    """

    agreement: float
    lead: float
    right: float
    data_dependent_epsilon: float | None

    @classmethod
    def of(
        cls,
        plan: Elections,
        counts: NDArray[np.int64],
        winners: NDArray[np.int64],
        delta: float,
    ) -> Self:
        """From votes and noisy winners.

        Args:
            plan: How they were answered.
            counts: ``(q, k)`` of all elections.
            winners: ``(q,)`` as drawn.
            delta: In (0, 1).
        """
        first_two = np.sort(counts, axis=1)[:, -2:]
        won = np.take_along_axis(counts, winners[:, None], axis=1)[:, 0]
        return cls(
            agreement=float((first_two[:, 1] / counts.sum(axis=1)).mean()),
            lead=float((first_two[:, 1] - first_two[:, 0]).mean()),
            right=float((won == first_two[:, 1]).mean()),
            data_dependent_epsilon=told_by_votes(plan.aggregator, counts, delta),
        )
