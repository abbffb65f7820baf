r"""What it costs to release the minimum of a convex objective that has a random linear term.

Released is w = argmin sum_i l_i(w) + R |w|^2 / 2 + <b, w> over w in R^(f k), one row of k weights
for each of f findings, with b random (Chaudhuri, Monteleoni and Sarwate 2011, JMLR 12,
algorithm 2; Kifer, Smith and Thakurta 2012, COLT, for normal b). A patient's loss is a sum over
findings of phi_j(<w_j, x>), with one vector x, |x| <= 1, convex and twice continuously
differentiable phi_j, |phi_j'| <= 1 and phi_j'' <= h. So their gradient is s (x) x with |s_j| <= 1:
of length at most sqrt(f), in a subspace of f dimensions that does not depend on w.

Proof. Given a cohort, w and b determine each other: b = -sum grad l_i(w) - R w. The density of w
is that of b times the determinant of the Hessian H + R. Let A be a patient's Hessian, one block
phi_j'' x x' of rank one for each finding. Then 1 <= det(H + A + R) / det(H + R) =
prod_j (1 + phi_j'' x' (H_j + R)^-1 x) <= (1 + h / R)^f. Between cohorts that differ by a patient b
moves by their gradient g, |g| <= L = sqrt(f), and between those in which one stands in another's
place by g - g', of a length of at most L = 2 sqrt(f), in a subspace of r = f, or 2 f, dimensions;
the determinants differ by at most the same factor, as both are between 1 and it. Let
eta = f log(1 + h / R).

*Normal b* of deviation s in each entry: the loss at b is at most eta + (2 |P b| L + L^2) / (2
s^2), P the projection on the subspace, since the shift depends on w and may be the worst one. |P
b| / s has the chi distribution with r degrees of freedom, so

    delta(epsilon) <= E max(0, 1 - exp(epsilon - eta - c L / s - L^2 / (2 s^2))),  c ~ chi_r.

*b of density proportional to exp(-q |b|)*: the loss is at most eta + q L, and delta is 0.

All of that is about real numbers and the exact minimum: the numerics are idealised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from scipy.special import gammaincc, gammainccinv

from latentdp.errors import InputError
from latentdp.privacy.guarantee import Guarantee, Relation, Unit, above
from latentdp.privacy.root import root

__all__ = ["PerturbedObjective"]

CELLS = 4_096  # of the sum that bounds the expectation from above
TAIL = 1e-18  # probability beyond its last cell
LEAST = 1e-2  # regularisation
MOVED = {Relation.ADD_REMOVE: 1, Relation.REPLACE_ONE: 2}


@dataclass(frozen=True, kw_only=True)
class PerturbedObjective:
    """A release of such a minimum.

    Attributes:
        findings: f, at least 1.
        regularisation: R, above 0.
        curvature: h, of a loss by its odds, above 0.
        scale: Deviation s of each entry of a normal b; of a pure one 1 / q. Above 0.
        pure: Whether the density of b is proportional to exp(-|b| / scale).

    Raises:
        InputError: A value is out of its range.
    """

    findings: int
    regularisation: float
    curvature: float
    scale: float
    pure: bool = False

    def __post_init__(self) -> None:
        values = (self.regularisation, self.curvature, self.scale)
        if self.findings < 1 or not all(math.isfinite(x) and x > 0 for x in values):
            raise InputError("expected findings, regularisation, curvature and scale above 0")

    @property
    def determinants(self) -> float:
        """eta: what the Hessians add to every loss."""
        return above(self.findings * math.log1p(self.curvature / self.regularisation))

    def guarantee(self, delta: float, relation: Relation) -> Guarantee:
        """The smallest epsilon at this delta that is proved, of a patient.

        Raises:
            InputError: Delta is not in (0, 1).
        """
        if not 0 < delta < 1:
            raise InputError(f"expected delta in (0, 1), got {delta}")
        moved = MOVED[relation]
        length = moved * math.sqrt(self.findings) / self.scale
        if self.pure:
            epsilon, delta = above(length), 0.0
        else:
            epsilon = _epsilon(length, moved * self.findings, delta)
        return Guarantee(
            epsilon=above(epsilon + self.determinants),
            delta=delta,
            unit=Unit.PATIENT,
            relation=relation,
            exact=False,
        )

    @classmethod
    def calibrate(
        cls, epsilon: float, delta: float, *, findings: int, curvature: float, share: float,
        pure: bool = False,
    ) -> Self:  # fmt: skip
        """The least noise at most (epsilon, delta), replace-one.

        Args:
            epsilon: In nats.
            delta: In (0, 1).
            findings: f.
            curvature: h.
            share: Of epsilon that may go to the determinants, in (0, 1), which sets R; where it
                would be tiny, R is `LEAST`, so that there is a minimum that can be found.
            pure: As of the class.
        """
        wanted = share * epsilon / findings
        regularisation = max(curvature / math.expm1(min(wanted, 700.0)), LEAST)
        left = epsilon * (1 - 1e-9) - findings * math.log1p(curvature / regularisation)
        length = left
        if not pure:
            length = math.exp(
                root(
                    lambda log: _delta(left, math.exp(log), 2 * findings) - delta,
                    math.log(1e-9),
                    math.log(1e9),
                )
            )
        while True:
            made = cls(
                findings=findings,
                regularisation=regularisation,
                curvature=curvature,
                scale=2 * math.sqrt(findings) / length,
                pure=pure,
            )
            if made.guarantee(delta, Relation.REPLACE_ONE).epsilon <= epsilon:
                return made
            length *= 1 - 1e-9


@lru_cache(maxsize=256)
def _epsilon(length: float, dimensions: int, delta: float) -> float:
    """The smallest epsilon of the normal part, never understated."""
    if _delta(0.0, length, dimensions) <= delta:
        return 0.0
    high = 1.0
    while _delta(high, length, dimensions) > delta:
        high *= 2
    epsilon = root(lambda e: _delta(e, length, dimensions) - delta, 0.0, high, relative=1e-9)
    while _delta(epsilon, length, dimensions) > delta:
        epsilon += 1e-9 * max(1.0, epsilon)
    return epsilon


def _delta(epsilon: float, length: float, dimensions: int) -> float:
    """The expectation, from above: the integrand grows with c, so a cell counts at its end."""
    first = max(0.0, (epsilon - length**2 / 2) / length)
    last = math.sqrt(2 * float(gammainccinv(dimensions / 2, TAIL)))
    if first >= last:
        return TAIL
    ends = np.linspace(first, last, CELLS + 1)
    beyond = gammaincc(dimensions / 2, ends**2 / 2)
    loss = epsilon - ends[1:] * length - length**2 / 2
    value = -np.expm1(np.minimum(loss, 0.0))
    return float((value * (beyond[:-1] - beyond[1:])).sum() + beyond[-1]) * (1 + 1e-9)
