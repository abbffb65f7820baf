"""A privacy guarantee as data: frozen, composable, and explicit about its unit and relation.

Every guarantee here is *local*: it holds for the released image of one person, against an
observer who sees everything that was released and knows the weights, the code and the recipe.
The relation is replace-one over all possible images: for any two images x and x' and any set of
outputs S, P[M(x) in S] <= exp(epsilon) P[M(x') in S] + delta.

What is learnt from a whole cohort is *central* instead (`latentdp.privacy.gaussian_accountant`):
its unit is the patient, and x and x' are cohorts that differ in one of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from latentdp.errors import InputError

__all__ = ["Guarantee", "Relation", "Unit", "above", "log_ratio"]


class Unit(StrEnum):
    """Whom epsilon is about."""

    IMAGE = "image"
    PATIENT = "patient"


class Relation(StrEnum):
    """Which pairs are indistinguishable up to epsilon."""

    REPLACE_ONE = "replace-one"
    ADD_REMOVE = "add-remove"  # of cohorts: with the patient and without


@dataclass(frozen=True, kw_only=True)
class Guarantee:
    """(epsilon, delta)-differential privacy of one whole release.

    Attributes:
        epsilon: In nats, at least 0; infinity means no protection.
        delta: In [0, 1]; 0 is pure differential privacy, 1 no protection.
        unit: What is replaced: one image, or all images of one patient.
        relation: The neighbouring relation.
        secure: False if the noise came from a seed, which voids the guarantee.
        exact: False if the proof is about real numbers and the program computes with floats.
    """

    epsilon: float
    delta: float = 0.0
    unit: Unit = Unit.IMAGE
    relation: Relation = Relation.REPLACE_ONE
    secure: bool = True
    exact: bool = True

    def __post_init__(self) -> None:
        if math.isnan(self.epsilon) or self.epsilon < 0:
            raise InputError(f"expected epsilon of at least 0, got {self.epsilon}")
        if not 0 <= self.delta <= 1:
            raise InputError(f"expected delta in [0, 1], got {self.delta}")
        try:
            object.__setattr__(self, "unit", Unit(self.unit))
            object.__setattr__(self, "relation", Relation(self.relation))
        except ValueError as error:
            raise InputError(f"a guarantee has no such unit or relation: {error}") from error

    def compose(self, *others: Guarantee) -> Guarantee:
        """What all of them together give (basic composition: the sums).

        Raises:
            InputError: Units or relations differ; such numbers must not be added.
        """
        everything = (self, *others)
        if {(g.unit, g.relation) for g in everything} != {(self.unit, self.relation)}:
            raise InputError("guarantees of different units or relations cannot be composed")
        return replace(
            self,
            epsilon=_sum_above([g.epsilon for g in everything]),
            delta=min(_sum_above([g.delta for g in everything]), 1.0),
            secure=all(g.secure for g in everything),
            exact=all(g.exact for g in everything),
        )

    def for_patient(self, images: int) -> Guarantee:
        """The same for a patient of whom ``images`` images are released this way."""
        if images < 1:
            raise InputError(f"expected at least 1 image, got {images}")
        if self.unit is not Unit.IMAGE:
            raise InputError(f"expected the guarantee of an image, got that of a {self.unit}")
        whole = self.compose(*[self] * (images - 1))
        return replace(whole, unit=Unit.PATIENT)

    def verification_ceiling(self) -> float:
        """Largest AUC any attacker can reach in telling one image's release from another's.

        1 / (1 + exp(-epsilon)) for pure epsilon, the ROC of randomised response;
        delta is added, which can only overstate the ceiling.
        """
        return min(1.0, 1.0 / (1.0 + math.exp(-self.epsilon)) + self.delta)

    def gallery_ceiling(self, size: int) -> float:
        """Largest chance that the right one of ``size`` equally likely sources is named first."""
        if size < 1:
            raise InputError(f"expected a gallery of at least 1, got {size}")
        if self.epsilon > 700:
            return 1.0
        odds = math.exp(self.epsilon)
        return min(1.0, odds / (odds + size - 1) + self.delta)

    def __str__(self) -> str:
        number = "infinity" if math.isinf(self.epsilon) else f"{self.epsilon:.6g}"
        delta = f", delta {self.delta:.0e}" if self.delta else ""
        numerics = "" if self.exact else ", idealised numerics"
        void = "" if self.secure else " -- NOT PRIVATE: the noise came from a seed"
        return f"epsilon {number}{delta} per {self.unit} ({self.relation}{numerics}){void}"


def _sum_above(values: list[float]) -> float:
    """The sum, rounded up; exact where at most one value is not zero."""
    total = math.fsum(values)
    return math.nextafter(total, math.inf) if sum(v > 0 for v in values) > 1 else total


def above(x: float) -> float:
    """The next float above ``x`` by a relative 1e-12: rounding never understates a guarantee."""
    return x * (1 + 1e-12) if math.isfinite(x) else x


def log_ratio(numerator: int, denominator: int) -> float:
    """Natural logarithm of a ratio of at least 1 of integers of any size, never understated."""
    shifted = (numerator << 64) // denominator + 1
    return above(max(0.0, math.log(shifted) - 64 * math.log(2)) + 1e-14)
